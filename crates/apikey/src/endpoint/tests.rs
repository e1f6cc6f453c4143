//! Proves every rule of paths and templates by a table, and that canonical means one spelling.

use proptest::prelude::*;

use super::*;

fn path(raw: &str) -> Option<String> {
    Endpoint::http("s", "GET", raw).path().map(str::to_owned)
}

#[test]
fn every_path_rule() {
    let table = [
        // Kept as it is.
        ("/", Some("/")),
        ("/v1/items", Some("/v1/items")),
        ("/v1/items:batchGet", Some("/v1/items:batchGet")),
        ("/a..b/...", Some("/a..b/...")),
        ("/.well-known/x", Some("/.well-known/x")),
        ("/!$&'()*+,=:@-._~", Some("/!$&'()*+,=:@-._~")),
        ("/*/**", Some("/*/**")),
        // The query is dropped, whatever is in it.
        ("/a?b=c", Some("/a")),
        ("/a?", Some("/a")),
        ("/a/?b", Some("/a")),
        ("/a?/../%2F//;?", Some("/a")),
        ("/?a", Some("/")),
        // Unreserved characters are decoded, once.
        ("/%61%7A%2d%2E%5f%7e", Some("/az-._~")),
        ("/%2561", Some("/%2561")),
        ("/%252e%252e", Some("/%252e%252e")),
        ("/%252F", Some("/%252F")),
        // Other escapes stay, in upper case.
        ("/%c3%a9", Some("/%C3%A9")),
        ("/%3a/%3F/%23/%20/%2a", Some("/%3A/%3F/%23/%20/%2A")),
        // Case matters.
        ("/A", Some("/A")),
        // One slash at the end is ignored.
        ("/a/", Some("/a")),
        ("/a/%62/", Some("/a/b")),
        // Refused: what is not a path.
        ("", None),
        ("a", None),
        ("*", None),
        ("?a", None),
        ("https://host/a", None),
        ("%2Fa", None),
        // Refused: dot segments and empty ones.
        ("/..", None),
        ("/a/..", None),
        ("/a/../b", None),
        ("/a/./b", None),
        ("/.", None),
        ("/%2e%2e/b", None),
        ("/a/.%2E", None),
        ("/%2E", None),
        ("//", None),
        ("//a", None),
        ("/a//b", None),
        ("/a//", None),
        // Refused: hidden structure.
        ("/a%2Fb", None),
        ("/a%2fb", None),
        ("/a%5Cb", None),
        ("/a%00", None),
        ("/a%0a", None),
        ("/a%7F", None),
        ("/a%3Bb", None),
        ("/a;b", None),
        ("/..;/b", None),
        // Refused: broken escapes.
        ("/%", None),
        ("/%4", None),
        ("/%4g", None),
        ("/%+4", None),
        ("/%%41", None),
        ("/%é", None),
        // Refused: characters that are no path's.
        ("/a b", None),
        ("/a\\b", None),
        ("/a#b", None),
        ("/a\0", None),
        ("/é", None),
        ("/{id}", None),
        ("/a\"<>^`|", None),
    ];
    for (raw, expected) in table {
        assert_eq!(path(raw).as_deref(), expected, "{raw:?}");
    }
}

#[test]
fn a_path_without_escapes_is_not_copied() {
    assert!(matches!(Endpoint::http("s", "GET", "/a/?q").path, Some(Cow::Borrowed("/a"))));
}

#[test]
fn grpc_methods_by_the_table() {
    let table = [
        ("/acme.v1.Billing/GetInvoice", true),
        ("/Billing/Get_2", true),
        ("acme.Billing/GetInvoice", false),
        ("/acme.Billing", false),
        ("/acme.Billing/", false),
        ("//GetInvoice", false),
        ("/acme..Billing/GetInvoice", false),
        ("/acme.Billing/GetInvoice/x", false),
        ("/acme.Billing/*", false),
        ("/*/GetInvoice", false),
        ("/acme.Billing/Get%61", false),
        ("/acme.Billing/Get?x", false),
        ("", false),
    ];
    for (full_method, is_one) in table {
        assert_eq!(Endpoint::grpc("s", full_method).path().is_some(), is_one, "{full_method}");
        assert_eq!(
            Template::grpc("s", full_method).is_ok(),
            is_one || full_method.ends_with("g/*")
        );
    }
}

#[test]
fn templates_become_canonical() {
    let table = [
        ("/v1/%69tems/*/", "shop GET /v1/items/*"),
        ("/", "shop GET /"),
        ("/**", "shop GET /**"),
        ("/%2a/%c3", "shop GET /%2A/%C3"),
    ];
    for (path, shown) in table {
        assert_eq!(Template::http("shop", "GET", path).unwrap().to_string(), shown);
    }
    let grpc = Template::grpc("shop", "/acme.Shop/*").unwrap();
    assert_eq!(grpc.to_string(), "shop gRPC /acme.Shop/*");
}

#[test]
fn wrong_templates_by_the_table() {
    use TemplateError::{Method, Path, Service, TooLong, Wildcard};
    let long = "a".repeat(65);
    let deep = "/a".repeat(65);
    let wide = format!("/{}", "a".repeat(512));
    let table = [
        ("", "GET", "/", Service(Flaw::Empty)),
        (&long, "GET", "/", Service(Flaw::TooLong { count: 65 })),
        ("a/b", "GET", "/", Service(Flaw::Character { character: '/', position: 2 })),
        ("s", "", "/", Method(Flaw::Empty)),
        ("s", "get", "/", Method(Flaw::Character { character: 'g', position: 1 })),
        ("s", "*", "/", Method(Flaw::Character { character: '*', position: 1 })),
        ("s", "ABCDEFGHIJKLMNOPQ", "/", Method(Flaw::TooLong { count: 17 })),
        ("s", "GET", "", Path(PathFlaw::Start)),
        ("s", "GET", "/a?b", Path(PathFlaw::Character)),
        ("s", "GET", "/a#b", Path(PathFlaw::Character)),
        ("s", "GET", "/{id}", Path(PathFlaw::Character)),
        ("s", "GET", "/a\n", Path(PathFlaw::Character)),
        ("s", "GET", "/a/../b", Path(PathFlaw::Segment)),
        ("s", "GET", "/a//b", Path(PathFlaw::Segment)),
        ("s", "GET", "/a%2fb", Path(PathFlaw::Hidden)),
        ("s", "GET", "/%zz", Path(PathFlaw::Escape)),
        ("s", "GET", &deep, TooLong),
        ("s", "GET", &wide, TooLong),
        ("s", "GET", "/**/a", Wildcard),
        ("s", "GET", "/**/**", Wildcard),
        ("s", "GET", "/a*", Wildcard),
        ("s", "GET", "/***", Wildcard),
    ];
    for (service, method, path, expected) in table {
        assert_eq!(
            Template::http(service, method, path),
            Err(expected),
            "{service} {method} {path}"
        );
    }
    assert!(Template::http("s", "GET", &deep[2..]).is_ok());
    assert!(Template::http("s", "GET", &wide[..512]).is_ok());
    assert_eq!(Template::grpc("s", &format!("/a/{wide}")), Err(TooLong));
    assert_eq!(Template::grpc("", "/a.B/C"), Err(Service(Flaw::Empty)));
}

#[test]
fn a_text_that_is_no_template() {
    for text in ["", "s", "s GET", "s gRPC"] {
        assert_eq!(Template::parse(text), Err(TemplateError::Parts), "{text:?}");
    }
    assert_eq!(Template::parse("s GET "), Err(TemplateError::Path(PathFlaw::Start)));
    assert_eq!(Template::parse("s GET /a b"), Err(TemplateError::Path(PathFlaw::Character)));
    assert_eq!(Template::parse("s gRPC /a"), Err(TemplateError::Grpc));
}

#[test]
fn the_errors_say_what_would_be_right() {
    let error = Template::http("s", "GET", "/v1/{id}").unwrap_err();
    assert!(error.to_string().contains("`*` for a segment"), "{error}");
    let error = Template::http("a b", "GET", "/").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the service: character 2 is ' '; it is 1 to 64 of `A-Za-z0-9._-`"
    );
}

proptest! {
    #[test]
    fn the_parts_make_the_same_template(
        path in "(/([a-zA-Z0-9~:._-]|%[0-9a-fA-F]{2}|\\*){0,3}){1,4}"
    ) {
        if let Ok(template) = Template::http("s", "ANY", &path) {
            let again = Template::http(template.service(), template.method().unwrap(), template.path());
            prop_assert_eq!(&again, &Ok(template.clone()));
            prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
        }
    }

    #[test]
    fn a_grpc_template_is_read_back(text in "[a-z.-]{1,3} gRPC /[a-z]{1,2}\\.[A-Z]{1,2}/([A-Z]{1,2}|\\*)") {
        prop_assert_eq!(Template::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn canonical_paths_stay_as_they_are(raw in "(/([a-zA-Z0-9~:._-]|%[0-9a-fA-F]{2}){0,3}){1,4}") {
        if let Some(once) = path(&raw) {
            prop_assert_eq!(path(&once), Some(once));
        }
    }

    #[test]
    fn encoding_unreserved_characters_changes_nothing(plain in "(/[a-zA-Z0-9~_-]{1,3}){1,4}") {
        let encoded: String = plain
            .chars()
            .map(|c| if c == '/' { c.to_string() } else { format!("%{:02x}", u32::from(c)) })
            .collect();
        prop_assert_eq!(path(&encoded), Some(plain));
    }

    #[test]
    fn any_string_is_an_endpoint(raw in any::<String>()) {
        let endpoint = Endpoint::http("s", "GET", &raw);
        prop_assert!(endpoint.path().is_none_or(|path| path.starts_with('/')));
        prop_assert!(Endpoint::grpc("s", &raw).path().is_none());
    }
}
