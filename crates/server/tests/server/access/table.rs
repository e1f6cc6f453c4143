//! Every caller on every RPC about every kind of business: literal tables, no expectation of which is
//! computed.

use std::collections::HashMap;

use keyward_server::access::Rpc;
use tonic::Status;

use super::{
    advisor_access,
    cast::{CLIENT, Cast, FOREIGN, FORMER, KEYWARD, OWN, Who},
    key_management, key_verification,
};
use crate::harness::{
    Bearer, Server,
    keys::{NO_KEY, named},
    told::{Told, refused},
};

/// What comes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// It is answered.
    Ok,
    /// PERMISSION_DENIED.
    No,
    /// KEY_NOT_FOUND.
    NoKey,
    /// BUSINESS_NOT_FOUND.
    NoBusiness,
    /// GRANT_NOT_FOUND.
    NoGrant,
    /// INVALID_FIELDS.
    Bad,
}

/// One RPC, one caller, and a cell for each of [`PLACES`].
pub(super) type Row = (Rpc, Who, [Cell; 6]);

/// In the order of the columns. The missing one has another name in each cell, as some calls make it.
const PLACES: [&str; 6] = [OWN, CLIENT, FORMER, FOREIGN, MISSING, KEYWARD];
const MISSING: &str = "missing";

impl Cell {
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::No => Some("PERMISSION_DENIED"),
            Self::NoKey => Some("KEY_NOT_FOUND"),
            Self::NoBusiness => Some("BUSINESS_NOT_FOUND"),
            Self::NoGrant => Some("GRANT_NOT_FOUND"),
            Self::Bad => Some("INVALID_FIELDS"),
        }
    }
}

fn rows() -> impl Iterator<Item = Row> {
    let services =
        [&key_verification::ROWS[..], &key_management::ROWS[..], &advisor_access::ROWS[..]];
    services.into_iter().flatten().copied()
}

/// A key for each RPC in each business, so that what one call does to a key is nothing to another's.
async fn keys(cast: &Cast) -> HashMap<(Rpc, &'static str), String> {
    let mut keys = HashMap::new();
    for rpc in Rpc::ALL {
        for place in PLACES {
            let key_id = if place == MISSING {
                NO_KEY.to_owned()
            } else {
                cast.server.make_key_of(place, named("a key")).await.key_id
            };
            keys.insert((rpc, place), key_id);
        }
    }
    keys
}

/// Each cell is called, and every refusal for want of permission is the same to the byte.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_the_tables_say_and_nothing_else() {
    let cast = Cast::on(Server::on_sqlite().await).await;
    cast.server.make_scope("orders.old", Vec::new()).await;
    let keys = keys(&cast).await;
    let mut refusal: Option<(String, Vec<u8>)> = None;
    let mut cells = 0;
    for (rpc, who, row) in rows() {
        for (place, cell) in PLACES.into_iter().zip(row) {
            cells += 1;
            let name = if place == MISSING { format!("missing-{cells}") } else { place.to_owned() };
            let answer = cast.ask(rpc, who, &name, &keys[&(rpc, place)]).await;
            let told = answer.as_ref().err().map(Told::of);
            let reason = told.as_ref().map(|told| told.reason.as_str());
            assert_eq!(reason, cell.reason(), "{rpc:?}, {who:?}, {place}: {told:?}");
            if let Err(status) = answer
                && reason == Some("PERMISSION_DENIED")
            {
                let bytes = bytes(&status);
                assert_eq!(*refusal.get_or_insert_with(|| bytes.clone()), bytes);
            }
        }
    }
    println!(
        "{cells} cells: {} RPCs, {} callers, {} businesses",
        Rpc::ALL.len(),
        Who::ALL.len(),
        PLACES.len()
    );
}

/// A status as it travels, whatever its code.
pub(super) fn bytes(status: &Status) -> (String, Vec<u8>) {
    (format!("{:?} {}", status.code(), status.message()), status.details().to_vec())
}

/// A new RPC has no expectation until it has its rows.
#[test]
fn each_rpc_has_a_row_for_each_caller() {
    let found: Vec<(Rpc, Who)> = rows().map(|(rpc, who, _)| (rpc, who)).collect();
    let of_rpc = |rpc| Who::ALL.map(|who| (rpc, who));
    assert_eq!(found, Rpc::ALL.map(of_rpc).concat());
}

/// No scopes, no power; and not counting is nothing without verifying.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_a_role_may_do_nothing() {
    let server = Server::on_sqlite().await;
    for scopes in [&[][..], &["keyward.verify.skip_usage"]] {
        let caller = server.service_key(scopes).await;
        for rpc in Rpc::ALL {
            let answer = server.call(rpc.path(), Bearer::request(&caller.secret)).await;
            assert_eq!(refused(answer).reason, "PERMISSION_DENIED", "{scopes:?} on {rpc:?}");
        }
    }
}
