//! Where an issuer's keys come from: a file, or a URL. Whatever that is, it costs no more than a fixed
//! time and size.

use std::{fs::File, io::Read as _, path::PathBuf, time::Duration};

use http::{StatusCode, Uri, header::ACCEPT};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

use super::token::keys::{KeySet, KeySetError, SET_BYTES_MAX};

/// How long one fetch may take, from the connection to the last byte.
const TIME_MAX: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub enum KeySource {
    /// A file, read anew each time.
    File(PathBuf),
    /// An HTTP server. Redirections are not followed.
    Url(Box<HttpSource>),
}

/// A URL, and what fetches it.
#[derive(Debug)]
pub struct HttpSource {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<&'static [u8]>>,
}

/// Why there is no set.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    File(#[source] std::io::Error),
    /// The server cannot be asked.
    #[error("the server cannot be asked: {0}")]
    Server(String),
    /// It answers something else.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// It takes too long.
    #[error("it takes longer than {TIME_MAX:?}")]
    Late,
    /// It is no set.
    #[error(transparent)]
    Set(#[from] KeySetError),
}

impl KeySource {
    /// A source at a URL, with the certificates that this machine trusts.
    ///
    /// # Errors
    /// When the machine trusts none.
    pub fn url(url: Uri) -> std::io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider)?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self::Url(Box::new(HttpSource { url, client })))
    }

    /// Fetches the set.
    pub(super) async fn load(&self) -> Result<KeySet, LoadError> {
        let bytes = async {
            match self {
                Self::File(path) => read(path.clone()).await,
                Self::Url(source) => source.fetch().await,
            }
        };
        let bytes = timeout(TIME_MAX, bytes).await.map_err(|_elapsed| LoadError::Late)??;
        Ok(KeySet::parse(&bytes)?)
    }
}

impl HttpSource {
    async fn fetch(&self) -> Result<Vec<u8>, LoadError> {
        let mut request = http::Request::new(Empty::new());
        *request.uri_mut() = self.url.clone();
        request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static("application/json"));
        let response =
            self.client.request(request).await.map_err(|error| LoadError::Server(chain(error)))?;
        if response.status() != StatusCode::OK {
            return Err(LoadError::Status(response.status()));
        }
        let body = Limited::new(response.into_body(), SET_BYTES_MAX).collect().await;
        let body = body.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => LoadError::Set(KeySetError::TooLarge),
            Err(error) => LoadError::Server(error.to_string()),
        })?;
        Ok(body.to_bytes().into())
    }
}

/// No more than says that it is too much.
async fn read(path: PathBuf) -> Result<Vec<u8>, LoadError> {
    let limit = u64::try_from(SET_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    reading.await.unwrap_or_else(|ended| Err(std::io::Error::other(ended))).map_err(LoadError::File)
}

/// With its causes: the outermost says little.
fn chain(error: hyper_util::client::legacy::Error) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
