//! A stop is graceful, and bounded.

use std::error::Error as _;

use keyward_proto::v1::Verdict;
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, ServerReflectionResponse,
    server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
};

use crate::{
    client::{Client, Made},
    home::Home,
};

/// Callers of each kind at once.
const CALLERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_calls_in_flight_finish() {
    stop_in_mid_burst("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_lets_calls_in_flight_finish() {
    stop_in_mid_burst("INT").await;
}

async fn stop_in_mid_burst(signal: &str) {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let client = Client::new(&server, &home.operator_key());
    let good = client.create_key().await.unwrap();
    let (answer, mut answered) = unbounded_channel();
    let creator = || create_until_the_end(client.clone(), answer.clone());
    let creators: JoinSet<_> = (0..CALLERS).map(|_| creator()).collect();
    let verifier = || verify_until_the_end(client.clone(), good.secret.clone());
    let verifiers: JoinSet<_> = (0..CALLERS).map(|_| verifier()).collect();
    for _ in 0..5 * CALLERS {
        answered.recv().await.unwrap();
    }

    let ended = server.signalled(signal);
    assert!(ended.status.success(), "{}", ended.err);
    verifiers.join_all().await.iter().for_each(is_clean_end);
    let (made, ends): (Vec<_>, Vec<_>) = creators.join_all().await.into_iter().unzip();
    ends.iter().for_each(is_clean_end);

    let server = home.serve(&[]);
    let client = Client::new(&server, &home.operator_key());
    for Made { key_id, secret } in made.iter().flatten() {
        assert_eq!(client.verdict(secret).await.unwrap(), Verdict::Valid, "{key_id}");
    }
}

async fn create_until_the_end(client: Client, answer: UnboundedSender<()>) -> (Vec<Made>, Status) {
    let mut made = Vec::new();
    loop {
        match client.create_key().await {
            Ok(key) => made.push(key),
            Err(end) => return (made, end),
        }
        answer.send(()).unwrap();
    }
}

async fn verify_until_the_end(client: Client, good: String) -> Status {
    loop {
        match client.verdict(&good).await {
            Ok(verdict) => assert_eq!(verdict, Verdict::Valid),
            Err(end) => return end,
        }
    }
}

/// It was the transport that ended, which tells a caller to ask another server; not a wrong answer.
fn is_clean_end(end: &Status) {
    let transport = end.source().is_some_and(|source| source.is::<tonic::transport::Error>());
    assert!(transport || end.code() == Code::Unavailable, "{end:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_health_is_told_and_holds_nothing_up() {
    let home = Home::on_sqlite();
    let server = home.serve(&[]);
    let client = Client::new(&server, &home.operator_key());
    let request = HealthCheckRequest { service: "keyward.v1.KeyVerification".to_owned() };
    let watch = HealthClient::new(client.channel).watch(request).await.unwrap();
    let mut watch = watch.into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    server.stop();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(watch.message().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_held_open_cannot_hold_the_stop_up_for_longer_than_the_drain() {
    let home = Home::on_sqlite();
    let server = home.serve(&["--drain-seconds", "1"]);
    let _held = hold_a_stream_open(&Client::new(&server, &home.operator_key())).await;
    server.signalled("TERM").failed(&["calls in flight did not finish in 1s"]);
}

/// What is in flight may still change keys: nobody else begins until it has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_server_begins_while_calls_are_in_flight() {
    let home = Home::on_sqlite();
    let mut server = home.serve(&["--drain-seconds", "3600"]);
    let _held = hold_a_stream_open(&Client::new(&server, &home.operator_key())).await;
    server.process.signal("TERM");
    server.process.wait_for_log("stopping: calls in flight may finish");
    home.run(&[]).failed(&["stop the server first"]);
    server.signalled("TERM").failed(&["stopped at once, by a second signal"]);
    home.serve(&[]).stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_cuts() {
    let home = Home::on_sqlite();
    let mut server = home.serve(&["--drain-seconds", "3600"]);
    let _held = hold_a_stream_open(&Client::new(&server, &home.operator_key())).await;
    server.process.signal("TERM");
    server.process.wait_for_log("stopping: calls in flight may finish");
    server.signalled("TERM").failed(&["stopped at once, by a second signal"]);
}

/// A call of reflection that never ends by itself, and has been answered once.
async fn hold_a_stream_open(client: &Client) -> tonic::Streaming<ServerReflectionResponse> {
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let requests = tokio_stream::once(list).chain(tokio_stream::pending());
    let mut reflection = ServerReflectionClient::new(client.channel.clone());
    let mut answers = reflection.server_reflection_info(requests).await.unwrap().into_inner();
    assert!(answers.message().await.unwrap().is_some());
    answers
}
