//! What health says: SERVING while answers may be given from memory, as the gate has it.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::resident::gate::Gate;

/// What health speaks of: all of it, and each service.
const NAMES: [&str; 4] =
    ["", "keyward.v1.KeyManagement", "keyward.v1.KeyVerification", "keyward.v1.AdvisorAccess"];
/// How often the gate is looked at: it closes by the clock, and tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// See the module.
pub(crate) struct Health {
    gate: Arc<Gate>,
    /// One at a time: what was seen last is told last.
    told: Mutex<Told>,
}

struct Told {
    reporter: HealthReporter,
    serving: Option<bool>,
    ended: bool,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl Health {
    pub(crate) fn new(reporter: HealthReporter, gate: Arc<Gate>) -> Self {
        Self { gate, told: Mutex::new(Told { reporter, serving: None, ended: false }) }
    }

    /// Says how it stands now.
    pub(crate) async fn tell(&self) {
        let mut told = self.told.lock().await;
        let serving = self.gate.is_open();
        if !told.ended && told.serving.replace(serving) != Some(serving) {
            let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
            told.set(status).await;
        }
    }

    /// Says it again and again.
    pub(crate) async fn follow_gate(self: Arc<Self>, stop: CancellationToken) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = look.tick() => self.tell().await,
            }
        }
    }

    /// Says NOT_SERVING, and nothing any more. Who watches is told, and the watch ends: it would hold
    /// the stop up.
    pub(crate) async fn end(&self) {
        let mut told = self.told.lock().await;
        told.ended = true;
        told.set(ServingStatus::NotServing).await;
        for name in NAMES {
            told.reporter.clear_service_status(name).await;
        }
    }
}

impl Told {
    async fn set(&self, status: ServingStatus) {
        for name in NAMES {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
