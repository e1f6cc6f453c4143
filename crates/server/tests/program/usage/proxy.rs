//! A proxy before PostgreSQL that can lose the answer to the commit of a flush: the database has
//! committed, and the server never hears of it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::timeout,
};

use crate::process::BOUND;

/// What a flush says to the database, and nobody else does.
const FLUSH: &[u8] = b"insert into usage_slots";
const COMMIT: &[u8] = b"COMMIT\0";

/// It passes everything on until it is dropped.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    lose: Arc<AtomicBool>,
    lost: UnboundedReceiver<()>,
    #[expect(dead_code, reason = "held, not read; ends the links")]
    links: JoinSet<()>,
}

impl Proxy {
    /// Before the PostgreSQL at this port.
    pub(super) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lose = Arc::new(AtomicBool::new(false));
        let (tell, lost) = unbounded_channel();
        let mut links = JoinSet::new();
        let will_lose = Arc::clone(&lose);
        links.spawn(async move {
            let mut links = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                links.spawn(pass_on(client, port, Arc::clone(&will_lose), tell.clone()));
            }
        });
        Self { address, lose, lost, links }
    }

    /// Waits until the answer to the next flush's commit is lost, and its link with it.
    pub(super) async fn lose_an_answer(&mut self) {
        self.lose.store(true, Ordering::SeqCst);
        timeout(BOUND, self.lost.recv()).await.unwrap().unwrap();
    }
}

/// Ends with either side, or with an answer that is to be lost.
async fn pass_on(
    mut client: TcpStream,
    port: u16,
    lose: Arc<AtomicBool>,
    lost: UnboundedSender<()>,
) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let (mut asked, mut answered) = (vec![0; 1 << 18], vec![0; 1 << 18]);
    let mut flushes = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let asked = &asked[..length];
                if server.write_all(asked).await.is_err() {
                    return;
                }
                flushes |= contains(asked, FLUSH);
                if contains(asked, COMMIT) {
                    if flushes && lose.swap(false, Ordering::SeqCst) {
                        // It answers once it has committed.
                        drop(server.read(&mut answered).await);
                        let _ = lost.send(());
                        return;
                    }
                    flushes = false;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
