//! Without the peppers that a database was written with, no server starts: it would call good keys
//! unknown. And nothing is changed by trying.

use std::{collections::BTreeMap, fs};

use keyward_proto::v1::Verdict;

use crate::{
    client::Client,
    home::{Home, PEPPERS},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_refuses() {
    refuses(None, &["keyward-data/peppers is gone", "put it back from its backup"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_another_database_refuses() {
    let reason = "pepper 1 is not the one that this database was written with";
    refuses(Some(PEPPERS), &[reason, "start with the pepper file that belongs to it"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_later_version_alone_refuse() {
    let later = PEPPERS.replacen('1', "2", 1);
    let reason = "pepper 1 is not in the pepper file, but 2 secrets need it";
    // The command leaves it to a server to begin with a pepper, and so does not look further.
    refuses_each(Some(&later), [&[reason], &["no server has started with pepper 2 yet"]]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_refuse() {
    let cut = &PEPPERS[..40];
    refuses(Some(cut), &["keyward-data/peppers", "line 1", "64 hexadecimal digits"]).await;
}

/// What is refused is a start with `wrong` for a pepper file, with a reason that has `parts` in it.
async fn refuses(wrong: Option<&str>, parts: &[&str]) {
    refuses_each(wrong, [parts, parts]).await;
}

/// The parts are those of a server's reason, and of `operator-key`'s.
async fn refuses_each(wrong: Option<&str>, parts: [&[&str]; 2]) {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let operator_key = home.operator_key();
    let secret = Client::new(&server, &operator_key).create_key().await.unwrap().secret;
    server.stop();
    let right = fs::read(home.data("peppers")).unwrap();
    match wrong {
        Some(wrong) => fs::write(home.data("peppers"), wrong).unwrap(),
        None => fs::remove_file(home.data("peppers")).unwrap(),
    }

    let before = files(&home);
    for (command, parts) in [&[][..], &["operator-key"]].into_iter().zip(parts) {
        let refused = home.run(command);
        refused.failed(parts);
        assert_eq!(refused.out, "");
        let digits = wrong.and_then(|wrong| wrong.split(' ').nth(1)).map(str::trim);
        assert!(digits.is_none_or(|digits| !refused.err.contains(digits)), "{}", refused.err);
    }
    assert!(files(&home) == before, "something was changed");

    fs::write(home.data("peppers"), right).unwrap();
    let server = home.serve(&[]);
    let client = Client::new(&server, &operator_key);
    assert_eq!(client.verdict(&secret).await.unwrap(), Verdict::Valid);
}

/// What lies in the data directory.
fn files(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(home.path("keyward-data")).unwrap().map(Result::unwrap);
    let file = |file: fs::DirEntry| {
        (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())
    };
    files.map(file).collect()
}
