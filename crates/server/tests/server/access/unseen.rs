//! What a person may not touch looks like what is not there: the same answer, and the same reads.

use keyward_proto::v1::{KeyFilter, ListKeysRequest};
use keyward_server::access::Rpc;
use tonic::{Request, Status};

use super::{
    cast::{CLIENT, Cast, FOREIGN, FORMER, KEYWARD, OWN, Who},
    table::bytes,
};
use crate::harness::{
    Server,
    keys::NO_KEY,
    told::{Told, refused},
};

/// The RPCs that a user calls about a business.
const ABOUT_A_BUSINESS: [Rpc; 13] = [
    Rpc::CreateKey,
    Rpc::GetKey,
    Rpc::ListKeys,
    Rpc::UpdateKey,
    Rpc::RotateKey,
    Rpc::RevokeKey,
    Rpc::SuspendKey,
    Rpc::ResumeKey,
    Rpc::GetBusiness,
    Rpc::ListAuditEvents,
    Rpc::GrantAccess,
    Rpc::RevokeAccess,
    Rpc::ListAccess,
];

/// Not the user's, for whatever reason; the last four are no ids at all.
const UNTOUCHABLE: [&str; 8] = [FOREIGN, FORMER, "missing", KEYWARD, "", "no id", "ACME", "acme "];

async fn refusal(cast: &Cast, rpc: Rpc, who: Who, business_id: &str) -> Status {
    cast.ask(rpc, who, business_id, NO_KEY).await.unwrap_err()
}

/// For admins and advisors alike, before anything else of the request is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn every_untouchable_business_has_one_answer() {
    let cast = Cast::on(Server::on_sqlite().await).await;
    let first = refusal(&cast, Rpc::GetKey, Who::Admin, FOREIGN).await;
    assert_eq!(Told::of(&first).reason, "PERMISSION_DENIED");
    for rpc in ABOUT_A_BUSINESS {
        for who in [Who::Admin, Who::Advisor, Who::Other] {
            for business_id in UNTOUCHABLE {
                let status = refusal(&cast, rpc, who, business_id).await;
                assert_eq!(bytes(&status), bytes(&first), "{rpc:?}, {who:?}, {business_id:?}");
            }
        }
    }
}

/// One that is not the user's among many is enough, wherever it stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_over_businesses_needs_all_of_them() {
    let cast = Cast::on(Server::on_sqlite().await).await;
    cast.grant("client.2", "dana").await;
    let list = |who, business_ids: &[&str]| {
        let business_ids = business_ids.iter().map(|id| (*id).to_owned()).collect();
        let request = ListKeysRequest { business_ids, ..Default::default() };
        let mut keys = cast.keys(who);
        async move { keys.list_keys(request).await }
    };
    let listed = list(Who::Advisor, &[CLIENT, "client.2", CLIENT]).await.unwrap().into_inner();
    assert_eq!(listed.keys.len(), 1);
    list(Who::Admin, &[OWN, OWN]).await.unwrap();
    for other in UNTOUCHABLE {
        for ids in [[CLIENT, "client.2", other], [other, CLIENT, "client.2"]] {
            assert_eq!(refused(list(Who::Advisor, &ids).await).reason, "PERMISSION_DENIED");
        }
        assert_eq!(refused(list(Who::Admin, &[OWN, other]).await).reason, "PERMISSION_DENIED");
    }
    // How many there are is told of no business.
    let too_many = vec![CLIENT; 101];
    refused(list(Who::Advisor, &too_many).await)
        .violates(&[("business_ids", "must name 1 to 100 businesses, not 101")]);
    refused(list(Who::Advisor, &[]).await)
        .violates(&[("business_ids", "must name 1 to 100 businesses, not 0")]);
}

/// Whoever may not touch a business learns nothing of its own mistakes either; its owner does.
#[tokio::test(flavor = "multi_thread")]
async fn permission_comes_before_validation() {
    let cast = Cast::on(Server::on_sqlite().await).await;
    let filter = KeyFilter { scope: "no scope".to_owned(), ..Default::default() };
    let wrong = |business_id: &str| ListKeysRequest {
        business_ids: vec![business_id.to_owned()],
        filter: Some(filter.clone()),
        ..Default::default()
    };
    let told = refused(cast.keys(Who::Admin).list_keys(Request::new(wrong(FOREIGN))).await);
    assert_eq!(told.reason, "PERMISSION_DENIED");
    let told = refused(cast.keys(Who::Admin).list_keys(Request::new(wrong(OWN))).await);
    assert_eq!(told.reason, "INVALID_FIELDS");
}

mod postgres {
    //! Reads are counted where they arrive, in the database's own log.

    use std::{fs, path::PathBuf};

    use test_postgres::{Cluster, Options};

    use super::*;

    /// The statements that reach a database, as its log has them.
    struct Statements {
        log: PathBuf,
        read: usize,
    }

    impl Statements {
        /// Those since the last time, without what the server looks for by itself each second.
        fn next(&mut self) -> Vec<String> {
            let log = fs::read_to_string(&self.log).unwrap();
            let new = log[self.read..].to_owned();
            self.read = log.len();
            let statements = new.lines().filter_map(|line| line.split_once("LOG:  execute "));
            let texts = statements.map(|(_, named)| named.split_once(": ").unwrap().1.to_owned());
            texts.filter(|text| !text.contains("change_counter")).collect()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_untouchable_business_costs_the_same_reads() {
        let settings = vec![("log_statement".to_owned(), "all".to_owned())];
        let cluster = Cluster::start_with(&Options { settings, ..Options::default() }).unwrap();
        let server = Server::on_postgres(cluster.create_database().unwrap()).await;
        let cast = Cast::on(server).await;
        let mut statements = Statements { log: cluster.folder().join("log"), read: 0 };
        statements.next();
        let mut counted = 0;
        for (who, reads) in [(Who::Admin, 0), (Who::Advisor, 1), (Who::Other, 0)] {
            for rpc in ABOUT_A_BUSINESS {
                let reads = if matches!(rpc, Rpc::GrantAccess | Rpc::RevokeAccess | Rpc::ListAccess)
                {
                    0
                } else {
                    reads
                };
                let mut first: Option<Vec<String>> = None;
                for business_id in [FOREIGN, FORMER, "missing"] {
                    refusal(&cast, rpc, who, business_id).await;
                    let read = statements.next();
                    assert_eq!(read.len(), reads, "{rpc:?}, {who:?}, {business_id}: {read:?}");
                    assert_eq!(*first.get_or_insert_with(|| read.clone()), read);
                    counted += read.len();
                }
            }
        }
        assert_eq!(counted, 30, "ten RPCs of an advisor's about three businesses");
        drop(cast);
    }
}
