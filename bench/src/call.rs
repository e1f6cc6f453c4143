//! The one call that is measured, as bytes, and a real client that makes it.
//!
//! The load generator takes every gRPC error for a success; so before and after each load a real
//! client asks the same question, and the answer must be the expected one byte for byte.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, ensure};
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use tonic::{
    Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

/// Where Verify is.
pub(crate) const PATH: &str = "/keyward.v1.KeyVerification/Verify";
/// What gRPC puts before each message: a flag and the length.
pub(crate) const PREFIX_BYTES: usize = 5;
/// How long a server may take for one call.
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// What is asked of each server, and what each must answer.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// The encoded `VerifyRequest`.
    pub(crate) request: Bytes,
    /// The file that holds it as it travels.
    pub(crate) body: String,
    /// The encoded `VerifyResponse` that Keyward gave.
    pub(crate) answer: Bytes,
    /// The `authorization` header.
    pub(crate) authorization: String,
}

impl Question {
    /// Asks, and accepts nothing but the expected answer.
    pub(crate) async fn check(&self, server: SocketAddr) -> anyhow::Result<()> {
        let answer = ask(server, &self.authorization, self.request.clone()).await?;
        ensure!(answer == self.answer, "a server gives another answer than Keyward gave");
        Ok(())
    }
}

/// A message as it travels in HTTP/2.
pub(crate) fn framed(message: &[u8]) -> anyhow::Result<Vec<u8>> {
    let length = u32::try_from(message.len())?.to_be_bytes();
    Ok([&[0], length.as_slice(), message].concat())
}

/// The bytes of the answer to the bytes of a request.
pub(crate) async fn ask(
    server: SocketAddr,
    authorization: &str,
    message: Bytes,
) -> anyhow::Result<Bytes> {
    let mut client = Grpc::new(connect(server).await?);
    client.ready().await?;
    let mut request = tonic::Request::new(message);
    let value: MetadataValue<Ascii> = authorization.parse()?;
    request.metadata_mut().insert("authorization", value);
    let answer = client.unary(request, PathAndQuery::from_static(PATH), Verbatim).await;
    Ok(answer.context("Verify")?.into_inner())
}

/// A connection to a server on this machine.
pub(crate) async fn connect(server: SocketAddr) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{server}"))?.timeout(CALL_LIMIT);
    endpoint.connect().await.with_context(|| format!("connecting to {server}"))
}

/// Lets messages pass as they are.
#[derive(Debug, Clone, Copy)]
struct Verbatim;

impl Codec for Verbatim {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

#[cfg(test)]
mod tests {
    //! A message is framed as gRPC says.

    use super::{PREFIX_BYTES, framed};

    #[test]
    fn frame_is_a_flag_and_a_length() {
        let frame = framed(b"abc").unwrap();
        assert_eq!(frame, b"\0\0\0\0\x03abc");
        assert_eq!(frame.len(), PREFIX_BYTES + 3);
    }
}
