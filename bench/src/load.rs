//! The load: h2load, which asks one question many times over a few connections.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, ensure};

use crate::{call, machine::Core, process::Process};

/// Connections, each with [`STREAMS`] calls under way: enough that the server never waits.
pub(crate) const CONNECTIONS: u32 = 8;
/// Calls under way on one connection.
pub(crate) const STREAMS: u32 = 10;
/// How long a load may take.
const LIMIT: Duration = Duration::from_secs(300);

/// What the load generator saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    /// Calls that were answered.
    pub(crate) calls: u32,
    /// How many of them a second.
    pub(crate) calls_per_second: f64,
    /// Bytes of messages that came, with their prefixes.
    pub(crate) data_bytes: u64,
}

impl Load {
    /// Posts the file `body` to Verify, `calls` times.
    pub(crate) async fn put(
        core: Core,
        server: SocketAddr,
        body: &str,
        authorization: &str,
        calls: u32,
    ) -> anyhow::Result<Self> {
        let authorization = format!("authorization: {authorization}");
        let (connections, streams) = (CONNECTIONS.to_string(), STREAMS.to_string());
        let (count, url) = (calls.to_string(), format!("http://{server}{}", call::PATH));
        let h2load = ["h2load", "-t", "1", "-c", &connections, "-m", &streams, "-n", &count];
        let post = ["-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers"];
        let command = [h2load.as_slice(), &post, &["-H", &authorization, &url]].concat();
        let (status, said) = Process::start(Some(core), &command)?.finish(LIMIT).await?;
        ensure!(status.success(), "h2load ended with {status}");
        Self::parse(&said).context("h2load said what is not understood")
    }

    /// How long it took.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.calls) / self.calls_per_second)
    }

    fn parse(said: &str) -> Option<Self> {
        let figure = |line: &str, unit: &str| {
            let line = said.lines().find_map(|said| said.strip_prefix(line))?;
            line.split(", ").find_map(|figure| figure.strip_suffix(unit))
        };
        Some(Self {
            calls: figure("requests: ", " succeeded")?.parse().ok()?,
            calls_per_second: figure("finished in ", " req/s")?.parse().ok()?,
            data_bytes: figure("traffic: ", ") data")?.split_once('(')?.1.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    //! What h2load says is understood, and nothing else.

    use super::Load;

    const SAID: &str = "\
starting benchmark...
progress: 100% done

finished in 2.04s, 49019.61 req/s, 4.77MB/s
requests: 100000 total, 100000 started, 100000 done, 99999 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 100000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 7.63MB (8000100) total, 1.91MB (2000020) headers (space savings 90.00%), 4.77MB (5000000) data
";

    #[test]
    fn figures_are_found() {
        let load = Load { calls: 99_999, calls_per_second: 49_019.61, data_bytes: 5_000_000 };
        assert_eq!(Load::parse(SAID), Some(load));
    }

    #[test]
    fn lack_of_a_line_is_seen() {
        for line in ["finished", "requests", "traffic"] {
            assert_eq!(Load::parse(&SAID.replace(line, "")), None);
        }
    }
}
