//! The cluster serves, is private, survives an outage, and leaves nothing behind.

#[cfg(test)]
mod postgres {
    //! Named so that `--skip postgres` leaves these out where there is no PostgreSQL.

    use std::io::{BufRead as _, BufReader, Read as _};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use test_postgres::{Cluster, Options, shared};

    /// The test that plays the owner who is killed.
    const VICTIM: &str = "postgres::victim_of_the_orphan_test";

    #[test]
    fn databases_are_private_copies_and_dropped() {
        let original = shared().create_database().unwrap();
        original.psql("CREATE TABLE t (n int); INSERT INTO t VALUES (7)").unwrap();
        let copy = shared().create_database_from(&original).unwrap();
        copy.psql("UPDATE t SET n = n + 1").unwrap();
        assert_eq!(original.psql("SELECT n FROM t").unwrap(), "7");
        assert_eq!(copy.psql("SELECT n FROM t").unwrap(), "8");

        let name = copy.name().to_owned();
        drop(copy);
        let left = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
        assert_eq!(original.psql(&left).unwrap(), "0");
    }

    #[test]
    fn url_names_the_socket_percent_encoded() {
        let database = shared().create_database().unwrap();
        let socket = shared().folder().to_str().unwrap().replace('/', "%2F");
        let name = database.name();
        assert_eq!(database.url(), format!("postgres://postgres@{socket}:5432/{name}"));
        assert_eq!(database.tcp_url(), None);
    }

    #[test]
    fn text_is_not_ordered_by_bytes() {
        let database = shared().create_database().unwrap();
        let order = "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,a,_}'::text[]) AS t(x)";
        assert_eq!(database.psql(order).unwrap(), "_abB");
    }

    #[test]
    fn options_are_obeyed_and_an_outage_ends() {
        let options = Options {
            tcp: true,
            settings: vec![("application_name".into(), "it's quoted".into())],
            ..Options::default()
        };
        let cluster = Cluster::start_with(&options).unwrap();
        let database = cluster.create_database().unwrap();
        assert_eq!(database.psql("SHOW fsync").unwrap(), "off");
        let port = cluster.port().unwrap();
        assert!(database.tcp_url().unwrap().contains(&format!("@127.0.0.1:{port}/")));
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();

        database.psql("CREATE TABLE t (n int)").unwrap();
        cluster.stop_immediate().unwrap();
        database.psql("SELECT 1").unwrap_err();
        cluster.restart().unwrap();
        assert_eq!(database.psql("SELECT count(*) FROM t").unwrap(), "0");
    }

    #[test]
    fn dropped_cluster_is_gone() {
        let cluster = Cluster::start().unwrap();
        let folder = cluster.folder().to_owned();
        assert!(is_mentioned_by_a_process(&folder));
        drop(cluster);
        assert_gone(&folder);
    }

    #[test]
    fn killed_owner_leaves_neither_process_nor_folder() {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", VICTIM, "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let folder = lines
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("folder=")?.1.to_owned()))
            .unwrap();
        assert!(is_mentioned_by_a_process(Path::new(&folder)));
        victim.kill().unwrap();
        victim.wait().unwrap();

        // The supervisor holds the victim's stderr: its end is the supervisor's end.
        let mut stderr = victim.stderr.take().unwrap();
        let (sender, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(stderr.read_to_string(&mut String::new())));
        ended.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
        assert_gone(Path::new(&folder));
    }

    #[test]
    #[ignore = "started, and killed, by the test above"]
    fn victim_of_the_orphan_test() {
        println!("folder={}", shared().folder().display());
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }

    fn assert_gone(folder: &Path) {
        assert!(!folder.exists(), "{} is left", folder.display());
        assert!(!is_mentioned_by_a_process(folder), "a process of {} is left", folder.display());
    }

    fn is_mentioned_by_a_process(folder: &Path) -> bool {
        let folder = folder.to_str().unwrap();
        std::fs::read_dir("/proc").unwrap().flatten().any(|process| {
            std::fs::read_to_string(process.path().join("cmdline"))
                .is_ok_and(|command| command.contains(folder))
        })
    }
}
