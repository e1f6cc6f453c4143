//! The real grpcurl, as a stranger's client: it knows of Keyward what reflection tells.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

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

/// The program: the one that [`VARIABLE`] names, else the one that `cargo xtask test` installed, else
/// the first on `PATH`.
#[expect(clippy::disallowed_methods, reason = "tests find their programs by the environment")]
pub(crate) fn program() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::var_os(VARIABLE)
        .map(PathBuf::from)
        .or_else(installed)
        .or_else(|| {
            env::split_paths(&path).map(|folder| folder.join("grpcurl")).find(|path| path.is_file())
        })
        .unwrap_or_else(|| {
            panic!("grpcurl was not found: run `cargo xtask test`, or name it in {VARIABLE}")
        })
}

/// `PATH` with grpcurl on it.
#[expect(clippy::disallowed_methods, reason = "tests find their programs by the environment")]
pub(crate) fn path() -> OsString {
    let folder = program().parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths([folder].into_iter().chain(env::split_paths(&path))).unwrap()
}

fn installed() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let versions = fs::read_dir(tools).into_iter().flatten().flatten();
    let grpcurl =
        versions.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"grpcurl-"));
    grpcurl.map(|entry| entry.path().join("bin/grpcurl")).find(|path| path.is_file())
}
