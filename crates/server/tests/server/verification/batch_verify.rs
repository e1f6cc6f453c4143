//! BatchVerify: many questions, each answered as Verify answers it.

use keyward_proto::v1::{BatchVerifyRequest, Key, Verdict, VerifyRequest};

use crate::harness::{
    Server,
    keys::{is_good, named, texts},
    told::refused,
};

/// As many answers as questions, in their order, and each the same as alone.
#[tokio::test(flavor = "multi_thread")]
async fn answers_come_in_the_order_asked() {
    let server = Server::on_sqlite().await;
    let (good, revoked) = (server.make_key(named("a")).await, server.make_key(named("b")).await);
    server.revoke_key(&revoked.key_id).await;
    let scoped = VerifyRequest {
        presented_secret: good.secret.clone(),
        required_scopes: texts(["orders.read"]),
        ..VerifyRequest::default()
    };
    let questions = vec![
        is_good(&revoked.secret),
        is_good(&good.secret),
        is_good(""),
        scoped,
        is_good(&good.secret),
    ];
    let batch = BatchVerifyRequest { requests: questions.clone() };
    let answers = server.verification().batch_verify(batch).await.unwrap().into_inner().responses;
    let verdicts: Vec<Verdict> = answers.iter().map(|answer| answer.verdict()).collect();
    use Verdict::{InsufficientScope, NotFound, Revoked, Valid};
    assert_eq!(verdicts, [Revoked, Valid, NotFound, InsufficientScope, Valid]);
    for (question, answer) in questions.into_iter().zip(answers) {
        assert_eq!(server.verify(question).await, answer);
    }
}

/// One to a thousand.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_its_bounds() {
    let server = Server::on_sqlite().await;
    let batch = |count| BatchVerifyRequest { requests: vec![is_good("unknown"); count] };
    for count in [1, 1_000] {
        let answer = server.verification().batch_verify(batch(count)).await.unwrap();
        assert_eq!(answer.into_inner().responses.len(), count);
    }
    for (count, description) in [
        (0, "must be 1 to 1000 questions, not 0"),
        (1_001, "must be 1 to 1000 questions, not 1001"),
    ] {
        refused(server.verification().batch_verify(batch(count)).await)
            .violates(&[("requests", description)]);
    }
}

/// One malformed question refuses the whole batch, and all such are named.
#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_is_told_at_once() {
    let server = Server::on_sqlite().await;
    let unasked = VerifyRequest { authenticate_only: false, ..is_good("unknown") };
    let misplaced = VerifyRequest { business_id: "a b".to_owned(), ..unasked.clone() };
    let requests = vec![is_good("unknown"), unasked.clone(), misplaced];
    refused(server.verification().batch_verify(BatchVerifyRequest { requests }).await).violates(&[
        ("requests[1].authenticate_only", "must be true where none of"),
        ("requests[2].authenticate_only", "must be true where none of"),
        ("requests[2].business_id", "character 2 is ' '"),
    ]);
    let requests = vec![unasked; 1_000];
    let told = refused(server.verification().batch_verify(BatchVerifyRequest { requests }).await);
    assert_eq!((told.violations.len(), told.metadata["violations"].as_str()), (20, "1000"));
}

/// The right not to count is asked for each.
#[tokio::test(flavor = "multi_thread")]
async fn skip_usage_needs_its_own_right() {
    let server = Server::on_sqlite().await;
    let plain = server.service_key(&["keyward.verify"]).await;
    let skipping = VerifyRequest { skip_usage: true, ..is_good("unknown") };
    let requests = vec![is_good("unknown"), skipping];
    let batch = BatchVerifyRequest { requests };
    let told = refused(server.verification_as(&plain.secret).batch_verify(batch.clone()).await);
    assert_eq!(told.reason, "PERMISSION_DENIED");
    server.verification().batch_verify(batch).await.unwrap();
}

/// Answers stay below what generated clients accept, however much each of them tells.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_to_too_much_are_refused() {
    let server = Server::on_sqlite().await;
    let scopes: Vec<String> = (0..40).map(|i| format!("{i:064}")).collect();
    for scope in &scopes {
        server.make_scope(scope, Vec::new()).await;
    }
    let annotations = [("a".to_owned(), "x".repeat(1_000))].into();
    let made = server.make_key(Key { scopes, annotations, ..named("talkative") }).await;
    let batch = |count| BatchVerifyRequest { requests: vec![is_good(&made.secret); count] };
    refused(server.verification().batch_verify(batch(1_000)).await)
        .violates(&[("requests", "the answers come to ")]);
    let answered = server.verification().batch_verify(batch(800)).await.unwrap().into_inner();
    assert_eq!(answered.responses.len(), 800);
}
