//! The proxy itself, and the few words of HTTP that command it.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    process::{Process, until},
    tool,
};

/// Names the program, where it is not to be searched for.
const VARIABLE: &str = "KEYWARD_TEST_TOXIPROXY";

/// A proxy on loopback, ended with this value.
pub(super) struct Proxy {
    /// Where it takes connections.
    pub(super) address: SocketAddr,
    control: SocketAddr,
    _process: Process,
}

impl Proxy {
    /// One that passes everything on to a port.
    pub(super) fn before(port: u16) -> Self {
        let control = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(tool::find("toxiproxy-server", "server", VARIABLE));
        command.args(["-host", "127.0.0.1", "-port", &control.port().to_string()]);
        let process = Process::spawn(&mut command);
        until("toxiproxy listens", || TcpStream::connect(control).is_ok());
        let proxy = json!({
            "name": "postgres",
            "listen": "127.0.0.1:0",
            "upstream": format!("127.0.0.1:{port}"),
            "enabled": true,
        });
        let made = command_of(control, "/proxies", &proxy);
        let made: Value = serde_json::from_str(&made).unwrap();
        let address = made["listen"].as_str().unwrap().parse().unwrap();
        Self { address, control, _process: process }
    }

    /// Ends every connection, and takes none.
    pub(super) fn cut(&self) {
        self.command("/proxies/postgres", &json!({ "enabled": false }));
    }

    /// Delays what passes, in each direction.
    pub(super) fn slow(&self, milliseconds: u32) {
        self.each_way("latency", &json!({ "latency": milliseconds }));
    }

    /// Swallows what is sent, in each direction. Connections stay open, and can be made.
    pub(super) fn silence(&self) {
        self.each_way("timeout", &json!({ "timeout": 0 }));
    }

    /// Passes everything on again. Connections that were silent end.
    pub(super) fn restore(&self) {
        self.command("/reset", &Value::Null);
    }

    fn each_way(&self, kind: &str, attributes: &Value) {
        for stream in ["upstream", "downstream"] {
            let toxic = json!({ "type": kind, "stream": stream, "attributes": attributes });
            self.command("/proxies/postgres/toxics", &toxic);
        }
    }

    fn command(&self, path: &str, body: &Value) {
        command_of(self.control, path, body);
    }
}

/// The answer's body.
fn command_of(control: SocketAddr, path: &str, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.0\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n\r\n{body}"
    );
    let mut connection = TcpStream::connect(control).unwrap();
    // All at once: the proxy resets a connection whose body comes after it answered.
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(head.split(' ').nth(1).unwrap().as_bytes()[0], b'2', "{path}: {answer}");
    body.to_owned()
}
