//! SUSPENDED: for now, however long that is.

use keyward_proto::v1::Verdict;

use super::{RECOGNITION, denial};
use crate::harness::{
    Server,
    keys::{is_good, named},
};

/// A suspension is no death: it is never forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_key_is_told_however_long_it_lasts() {
    let server = Server::on_sqlite().await;
    let made = server.make_key(named("a")).await;
    server.suspend_key(&made.key_id).await;
    let expected = denial(&server, &made, Verdict::Suspended).await;
    assert_eq!(server.verify(is_good(&made.secret)).await, expected);
    server.clock.advance(RECOGNITION * 2);
    assert_eq!(server.verify(is_good(&made.secret)).await, expected);
}
