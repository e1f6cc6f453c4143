//! EXPIRED: by time alone, to the microsecond.

use std::time::Duration;

use keyward_proto::v1::{Key, Verdict};

use super::{denial, is_recognised_for_30_days};
use crate::harness::{
    Server,
    keys::{is_good, named},
};

/// Refused from the very first moment that is not before `expire_time`, and no earlier.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_expires_at_the_exact_microsecond() {
    let server = Server::on_sqlite().await;
    let key = Key { expire_time: Some(server.time_in(60)), ..named("a") };
    let made = server.make_key(key).await;
    server.clock.advance(Duration::from_secs(60) - Duration::from_micros(1));
    assert_eq!(server.verify(is_good(&made.secret)).await.verdict(), Verdict::Valid);
    server.clock.advance(Duration::from_micros(1));
    let expected = denial(&server, &made, Verdict::Expired).await;
    assert_eq!(server.verify(is_good(&made.secret)).await, expected);
    is_recognised_for_30_days(&server, &made, Verdict::Expired).await;
}
