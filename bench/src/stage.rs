//! What all loads of a run have in common: a store with its keys, the question, and the servers that
//! answer it.

use std::path::Path;

use anyhow::{Context as _, ensure};
use keyward_proto::v1::{Verdict, VerifyRequest, VerifyResponse};
use prost::{Message as _, bytes::Bytes};

use crate::{
    call::{self, Question},
    load::Load,
    machine::{Build, Cores},
    operator::{SCOPE, Secrets, make_keys},
    process::Server,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Stage {
    cores: Cores,
    /// The programs.
    keyward: String,
    empty: String,
    /// Keyward's data directory, and the answer that the empty service gives.
    data: String,
    answer: String,
    /// What is asked, and what is to be answered.
    pub(crate) question: Question,
    /// The same, without counting.
    pub(crate) uncounted: Question,
}

impl Stage {
    /// Fills a store in `folder`, and takes Keyward's answer for the one that is expected.
    pub(crate) async fn set(build: &Build, cores: Cores, folder: &Path) -> anyhow::Result<Self> {
        let file = |name| folder.join(name).into_os_string().into_string().ok();
        let file = |name| file(name).context("the temporary folder's path is no text");
        let mut stage = Self {
            cores,
            keyward: build.program("keyward")?,
            empty: build.program("keyward-bench")?,
            data: file("data")?,
            answer: file("answer")?,
            question: Question::default(),
            uncounted: Question::default(),
        };
        let keyward = stage.keyward(&[]).await?;
        let operator = std::fs::read_to_string(format!("{}/operator-key", stage.data))?;
        let secrets = make_keys(keyward.address, operator.trim()).await?;
        stage.question = ask(&keyward, &secrets, false, file("counted")?).await?;
        stage.uncounted = ask(&keyward, &secrets, true, file("uncounted")?).await?;
        keyward.stop().await?;
        std::fs::write(&stage.answer, &stage.question.answer)?;
        Ok(stage)
    }

    /// Starts Keyward on the store; `under` is a program to run it under, with its arguments.
    pub(crate) async fn keyward(&self, under: &[&str]) -> anyhow::Result<Server> {
        let own = [&self.keyward, "--data-dir", &self.data, "--listen", "127.0.0.1:0"];
        let server = Server::start(Some(self.cores.server), &[under, &own].concat()).await;
        server.context("starting Keyward")
    }

    /// Starts an empty service, which is this program itself.
    pub(crate) async fn empty(&self, handicap_us: u8, under: &[&str]) -> anyhow::Result<Server> {
        let handicap = handicap_us.to_string();
        let own = [&self.empty, "empty", "--answer", &self.answer, "--handicap-us", &handicap];
        let server = Server::start(Some(self.cores.server), &[under, &own].concat()).await;
        server.context("starting the empty service")
    }

    /// Asks a question `calls` times, each of which must be answered as far as size tells.
    pub(crate) async fn load(
        &self,
        server: &Server,
        question: &Question,
        calls: u32,
    ) -> anyhow::Result<Load> {
        let Question { request: _, body, answer, authorization } = question;
        let load = Load::put(self.cores.client, server.address, body, authorization, calls);
        let load = load.await?;
        ensure!(load.calls == calls, "{} of {calls} calls were answered", load.calls);
        let expected = u64::from(calls) * u64::try_from(call::PREFIX_BYTES + answer.len())?;
        ensure!(load.data_bytes == expected, "some answers were other than expected");
        Ok(load)
    }
}

/// What a service asks about a customer's key, with or without counting, and what Keyward answers. The
/// request goes into the file `body` as it travels.
async fn ask(
    keyward: &Server,
    secrets: &Secrets,
    skip_usage: bool,
    body: String,
) -> anyhow::Result<Question> {
    let request = VerifyRequest {
        presented_secret: secrets.customer.clone(),
        required_scopes: vec![SCOPE.to_owned()],
        skip_usage,
        ..VerifyRequest::default()
    };
    let request = Bytes::from(request.encode_to_vec());
    let authorization = format!("Bearer {}", secrets.service);
    let answer = call::ask(keyward.address, &authorization, request.clone()).await?;
    let verdict = VerifyResponse::decode(answer.clone())?.verdict();
    ensure!(verdict == Verdict::Valid, "Keyward answers {}", verdict.as_str_name());
    std::fs::write(&body, call::framed(&request)?)?;
    Ok(Question { request, body, answer, authorization })
}
