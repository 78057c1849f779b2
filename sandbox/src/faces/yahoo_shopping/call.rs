//! A call as it came in. Pure.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::RequestHead;
use crate::faces::xml::Tree;

/// Where the methods are on their host.
const METHODS: &str = "/ShoppingWebService/V1/";

/// A call with its parameters or its XML.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) bearer: Option<&'a str>,
    pub(super) signature: Option<&'a str>,
    pub(super) signature_version: Option<&'a str>,
    /// Id and secret of an application in a Basic header.
    pub(super) basic: Option<(String, String)>,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> Call<'a> {
    pub(super) fn parse(head: &RequestHead<'a>, body: &'a [u8]) -> Self {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let pairs = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect();
        let kind = header("content-type").unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let authorization = header("authorization").unwrap_or_default();
        Self {
            method: head.method,
            path: head.uri.path(),
            bearer: authorization.strip_prefix("Bearer ").map(str::trim).filter(|text| !text.is_empty()),
            signature: header("x-sws-signature").filter(|text| !text.is_empty()),
            signature_version: header("x-sws-signature-version"),
            basic: authorization.strip_prefix("Basic ").and_then(basic),
            query: pairs(head.uri.query().unwrap_or_default().as_bytes()),
            form: if is_form { pairs(body) } else { Vec::new() },
            body,
        }
    }

    /// The name of the method in a path, if the path is one of methods.
    pub(super) fn method_name(path: &str) -> Option<&str> {
        path.strip_prefix(METHODS)
    }

    /// A parameter of a GET, or of a form, that was sent, be it empty.
    pub(super) fn sent(&self, name: &str) -> Option<&str> {
        let pairs = if *self.method == Method::GET { &self.query } else { &self.form };
        pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is not empty.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.sent(name).filter(|value| !value.is_empty())
    }

    /// The body as XML with the root `Req`.
    pub(super) fn xml(&self) -> Option<Tree> {
        Tree::parse(self.body).filter(|tree| tree.name == "Req")
    }
}

fn basic(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}
