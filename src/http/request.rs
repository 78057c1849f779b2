//! What is sent.

use std::fmt;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

use crate::channel::Secret;
use crate::error::{Error, ErrorKind, Result};

/// A request. Debug shows method, host and path: no query, no headers, no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: Url,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    pub(super) secrets: Vec<Secret>,
}

impl Request {
    /// A request with this body.
    pub fn new(method: Method, url: Url, body: impl Into<Bytes>) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: body.into(), secrets: Vec::new() }
    }

    /// A GET without body.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Bytes::new())
    }

    /// A POST of form fields, in UTF-8.
    pub fn post_form<K: AsRef<str>, V: AsRef<str>>(
        url: Url,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Self::new(Method::POST, url, body);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
        request.headers.insert(reqwest::header::CONTENT_TYPE, kind);
        request
    }

    /// A POST of JSON text.
    pub fn post_json(url: Url, json: impl Into<Bytes>) -> Self {
        let mut request = Self::new(Method::POST, url, json);
        let kind = HeaderValue::from_static("application/json; charset=UTF-8");
        request.headers.insert(reqwest::header::CONTENT_TYPE, kind);
        request
    }

    /// Adds a header, replacing one of the same name.
    ///
    /// # Errors
    /// `InvalidInput` when name or value can't be a header; the value is not told.
    pub fn header(self, name: &'static str, value: &str) -> Result<Self> {
        self.with(name, value, false)
    }

    /// Adds a header that must never be shown. Its value counts as a secret of the request; so does what follows the
    /// name of a scheme (`Bearer …`).
    ///
    /// # Errors
    /// As [`Request::header`].
    pub fn secret_header(self, name: &'static str, value: &Secret) -> Result<Self> {
        let bare = value.expose().rsplit(' ').next().unwrap_or_default();
        self.with(name, value.expose(), true).map(|request| request.keeping(&Secret::new(bare)))
    }

    /// Names a secret that the request holds or is signed with. Channels repeat what they were sent in their error
    /// texts: where an answer repeats a secret, it is blanked out before anybody reads the answer. Only an answer to
    /// [`Operation::RenewCredentials`](crate::channel::Operation::RenewCredentials) that is no error is left as it is:
    /// it can hold the same secret for a good reason. A text of fewer than 8 bytes is not looked for: it could stand
    /// in an answer by chance.
    pub fn keeping(mut self, secret: &Secret) -> Self {
        self.secrets.push(Secret::new(secret.expose().trim()));
        self
    }

    fn with(mut self, name: &'static str, value: &str, sensitive: bool) -> Result<Self> {
        let unfit =
            || Error::invalid(format!("the value of header {name} has characters that no header may have"));
        let name = HeaderName::try_from(name).map_err(|_| unfit())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
        value.set_sensitive(sensitive);
        self.headers.insert(name, value);
        Ok(self)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or("");
        write!(f, "{} {}{} [{} bytes]", self.method, host, self.url.path(), self.body.len())
    }
}

/// Where a channel's API is. Checked once: https, or http to this machine; no user, query or fragment.
///
/// ```
/// use sales_channels::http::BaseUrl;
///
/// let base: BaseUrl = "https://api.example.com/v1".parse()?;
/// assert_eq!(base.join("orders/7")?.as_str(), "https://api.example.com/v1/orders/7");
/// assert!("http://api.example.com".parse::<BaseUrl>().is_err());
/// assert!("http://127.0.0.1:8080".parse::<BaseUrl>().is_ok());
/// # Ok::<(), sales_channels::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The address of a path below it. A leading slash makes no difference.
    ///
    /// # Errors
    /// `InvalidInput` when it would lead to another host.
    pub fn join(&self, path: &str) -> Result<Url> {
        let mut text = self.0.as_str().trim_end_matches('/').to_owned();
        text.push('/');
        text.push_str(path.trim_start_matches('/'));
        let url = Url::parse(&text).map_err(|_| Error::invalid("the path can't be part of an address"))?;
        same_host(self, &url)?;
        Ok(url)
    }

    /// The address itself.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl std::str::FromStr for BaseUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            |why: &str| Error::new(ErrorKind::Configuration).with_message(format!("the base URL {why}"));
        let url = Url::parse(text.trim()).map_err(|_| wrong("can't be read"))?;
        if url.host().is_none() {
            return Err(wrong("has no host"));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong("must have no user, query or fragment"));
        }
        check_scheme(&url)?;
        Ok(Self(url))
    }
}

/// Plain http goes to this machine only.
pub(super) fn check_scheme(url: &Url) -> Result<()> {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err(Error::new(ErrorKind::Configuration)
            .with_message("addresses must be https; plain http is for this machine only")),
    }
}

/// Whether an address that came in an answer may be followed: only on the same host and scheme.
///
/// # Errors
/// `InvalidInput` when it leads elsewhere.
pub fn same_host(base: &BaseUrl, url: &Url) -> Result<()> {
    let base = &base.0;
    if url.scheme() == base.scheme()
        && url.host() == base.host()
        && url.port_or_known_default() == base.port_or_known_default()
    {
        return Ok(());
    }
    Err(Error::invalid("an address leads to another host than the channel's"))
}
