//! The empty service: what tonic alone costs. It takes the same request, reads nothing out of it, and
//! gives always the same answer.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use keyward_proto::v1::{
    BatchVerifyRequest, BatchVerifyResponse, VerifyRequest, VerifyResponse,
    key_verification_server::{KeyVerification, KeyVerificationServer},
};
use prost::Message as _;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_stream::{StreamExt as _, wrappers::TcpListenerStream};
use tonic::{Request, Response, Status, transport::Server};

/// How to be empty.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// A file with the encoded `VerifyResponse` to give.
    #[arg(long)]
    answer: PathBuf,
    /// How long to spin before each answer, in microseconds.
    #[arg(long, default_value_t = 0)]
    handicap_us: u8,
}

#[derive(Debug)]
struct Empty {
    answer: VerifyResponse,
    handicap: Duration,
}

#[tonic::async_trait]
impl KeyVerification for Empty {
    async fn verify(&self, _: Request<VerifyRequest>) -> Result<Response<VerifyResponse>, Status> {
        if !self.handicap.is_zero() {
            spin(self.handicap);
        }
        Ok(Response::new(self.answer.clone()))
    }

    async fn batch_verify(
        &self,
        _: Request<BatchVerifyRequest>,
    ) -> Result<Response<BatchVerifyResponse>, Status> {
        Ok(Response::new(BatchVerifyResponse::default()))
    }
}

/// Serves on a free port until SIGTERM, under Keyward's own settings (`crates/server/src/assembly.rs`).
pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    let answer = std::fs::read(&options.answer).context("the answer to give")?;
    let answer = VerifyResponse::decode(&*answer).context("the answer to give")?;
    let handicap = Duration::from_micros(options.handicap_us.into());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    crate::say(&format!(
        "the empty service is listening on {}: no secrets",
        listener.local_addr()?
    ));
    let incoming = TcpListenerStream::new(listener).map(|accepted| {
        let socket = accepted?;
        socket.set_nodelay(true)?;
        Ok::<_, std::io::Error>(socket)
    });
    let mut term = signal(SignalKind::terminate())?;
    Server::builder()
        .max_concurrent_streams(1_000)
        .http2_max_header_list_size(16 * 1024)
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .add_service(
            KeyVerificationServer::new(Empty { answer, handicap })
                .max_decoding_message_size(4 * 1024 * 1024),
        )
        .serve_with_incoming_shutdown(incoming, async move {
            term.recv().await;
        })
        .await?;
    Ok(())
}

fn spin(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
