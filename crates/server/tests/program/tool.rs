//! Programs that tests run and cargo does not bring.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// A program: the one that `variable` names, else the one that `cargo xtask test` installed as `file`,
/// else the first called `name` on `PATH`.
#[expect(clippy::disallowed_methods, reason = "tests find their programs by the environment")]
pub(crate) fn find(name: &str, file: &str, variable: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut on_path = env::split_paths(&path).map(|folder| folder.join(name));
    env::var_os(variable)
        .map(PathBuf::from)
        .or_else(|| installed(name, file))
        .or_else(|| on_path.find(|path| path.is_file()))
        .unwrap_or_else(|| {
            panic!("{name} was not found: run `cargo xtask test`, or name it in {variable}")
        })
}

fn installed(name: &str, file: &str) -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let versions = fs::read_dir(tools).into_iter().flatten().flatten();
    let begins = format!("{name}-");
    let ours = versions
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(begins.as_bytes()));
    ours.map(|entry| entry.path().join("bin").join(file)).find(|path| path.is_file())
}
