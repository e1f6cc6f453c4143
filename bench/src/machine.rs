//! What a run depends on: the machine, its cores, and what was built from which commit.

use std::{fmt, path::PathBuf, process::Command, thread};

use anyhow::{Context as _, ensure};

const LOCK: &str = include_str!("../../Cargo.lock");

/// A processor, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Core(u16);

/// Who runs where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    pub(crate) server: Core,
    pub(crate) client: Core,
}

/// The programs that are measured: those beside this one.
#[derive(Debug)]
pub(crate) struct Build {
    folder: PathBuf,
}

/// What figures stand beside, so that they are not compared with another machine's.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) profile: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) rustc: String,
    pub(crate) tonic: &'static str,
    pub(crate) h2load: String,
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Cores {
    /// The last core that we may use for the server, and the first for the client: a kernel likes to
    /// do its own work on the first.
    pub(crate) fn pick() -> anyhow::Result<Self> {
        let status = read("/proc/self/status")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let (first, last) = list.and_then(ends).context("which cores there are")?;
        ensure!(first != last, "two cores are needed: one for the server, one for the client");
        Ok(Self { server: last, client: first })
    }
}

/// The first and the last of a list of ranges like `0-3,8`.
fn ends(list: &str) -> Option<(Core, Core)> {
    let core = |number: &str| number.parse().ok().map(Core);
    let separators = [',', '-'];
    let list = list.trim();
    Some((core(list.split(separators).next()?)?, core(list.rsplit(separators).next()?)?))
}

impl Build {
    /// Where this program itself lies.
    pub(crate) fn of_this() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        Ok(Self { folder: program.parent().context("a program has a folder")?.to_owned() })
    }

    /// The profile it was built with, by which cargo names the folder.
    pub(crate) fn profile(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The path of a program of this build.
    pub(crate) fn program(&self, name: &str) -> anyhow::Result<String> {
        let program = self.folder.join(name);
        ensure!(program.is_file(), "`{name}` is not built: `cargo xtask bench` does it");
        program.into_os_string().into_string().ok().context("the target folder's path is no text")
    }
}

impl Machine {
    pub(crate) fn look(build: &Build) -> anyhow::Result<Self> {
        let processors = read("/proc/cpuinfo")?;
        let model = processors.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split_once(": "));
        // The reports in `docs` are written after the programs are built.
        let dirty = !said("git", &["status", "--porcelain", "--", ".", ":!docs"])?.is_empty();
        let commit = said("git", &["rev-parse", "--short=12", "HEAD"])?;
        Ok(Self {
            profile: build.profile(),
            processor: model.map_or("unknown", |(_, model)| model).to_owned(),
            cores: thread::available_parallelism()?.get(),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            date: said("date", &["--utc", "+%Y-%m-%d"])?,
            commit: format!("{commit}{}", if dirty { ", with uncommitted changes" } else { "" }),
            rustc: said("rustc", &["--version"])?,
            tonic: locked(LOCK, "tonic").context("tonic is locked")?,
            h2load: said("h2load", &["--version"]).context("Debian's nghttp2-client")?,
        })
    }
}

/// How many processes wanted to run, on average over the last minute.
pub(crate) fn load_average() -> anyhow::Result<String> {
    let averages = read("/proc/loadavg")?;
    Ok(averages.split(' ').next().unwrap_or_default().to_owned())
}

/// The version of a package.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

fn read(file: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(file).context(file.to_owned())
}

/// What a program has to say.
fn said(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("starting `{program}`"))?;
    ensure!(output.status.success(), "`{program}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    //! Lists of cores as the kernel writes them, versions as cargo does.

    use super::{Core, ends, locked};

    #[test]
    fn first_and_last_core_are_found() {
        assert_eq!(ends("\t0-1\n"), Some((Core(0), Core(1))));
        assert_eq!(ends("2,5-7,9"), Some((Core(2), Core(9))));
        assert_eq!(ends("3"), Some((Core(3), Core(3))));
        assert_eq!(ends(""), None);
    }

    #[test]
    fn version_is_that_of_the_whole_name() {
        let lock = "[[package]]\nname = \"tonic-prost\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"tonic\"\nversion = \"2.0.0\"\nsource = \"x\"\n";
        assert_eq!(locked(lock, "tonic"), Some("2.0.0"));
        assert_eq!(locked(lock, "prost"), None);
    }
}
