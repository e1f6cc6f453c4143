//! The real grpcurl, as a stranger's client: it knows of Keyward what reflection tells.

use std::{
    env,
    ffi::OsString,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

use crate::tool;

/// Names the program, where it is not to be searched for.
const VARIABLE: &str = "KEYWARD_TEST_GRPCURL";

/// A caller with a service key.
#[derive(Debug)]
pub(crate) struct Grpcurl {
    pub(crate) address: String,
    pub(crate) service_key: String,
}

impl Grpcurl {
    /// The answer, or the complaint.
    pub(crate) fn try_call(&self, method: &str, request: &Value) -> Result<Value, String> {
        let Output { status, stdout, stderr } = Command::new(program())
            .args(["-plaintext", "-max-time", "20"])
            .args(["-H", &format!("authorization: Bearer {}", self.service_key)])
            .args(["-d", &request.to_string(), &self.address])
            .arg(format!("keyward.v1.{method}"))
            .output()
            .unwrap();
        if status.success() {
            Ok(serde_json::from_slice(&stdout).unwrap())
        } else {
            Err(String::from_utf8(stderr).unwrap())
        }
    }

    pub(crate) fn call(&self, method: &str, request: &Value) -> Value {
        self.try_call(method, request).unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}

pub(crate) fn program() -> PathBuf {
    tool::find("grpcurl", "grpcurl", VARIABLE)
}

/// `PATH` with grpcurl on it.
#[expect(clippy::disallowed_methods, reason = "tests find their programs by the environment")]
pub(crate) fn path() -> OsString {
    let folder = program().parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths([folder].into_iter().chain(env::split_paths(&path))).unwrap()
}
