//! Sending with a signature, and replacing the key (sheet 1, 2).

use std::fmt::Write;
use std::sync::{PoisonError, RwLock};

use md5::{Digest, Md5};
use url::form_urlencoded::byte_serialize;

use crate::channel::{Context, CredentialPart, Credentials, Operation, Secret};
use crate::error::Result;
use crate::http::{AccountHttp, Call, Nature, Request, Response, Url};

use super::Config;
use super::errors::{Method, judge};
use super::variants::Variants;

/// The name of the company code among the credentials.
pub const ACCOUNT: &str = "account";
/// The name of the authentication key among the credentials.
pub const AUTH_KEY: &str = "auth_key";

/// The parts of the credentials.
pub(super) const PARTS: &[CredentialPart] = &[
    CredentialPart::lasting(
        ACCOUNT,
        "the company code (会社コード), shown in CROSS MALL under システム設定 > 基本情報",
    ),
    CredentialPart::renewed(
        AUTH_KEY,
        "the authentication key (認証鍵): システム設定 > 基本情報 > 編集 > API設定 > 表示; this machine's IP address must \
         be allowed there too",
    ),
];

/// So many reads are on their way at once.
pub(super) const PARALLEL: usize = 4;

/// Parameters of a call, in the order in which they are sent and signed.
pub(super) type Query = Vec<(&'static str, String)>;

/// Sends with the account's key.
#[derive(Debug)]
pub(super) struct Api {
    http: AccountHttp,
    config: Config,
    credentials: RwLock<Credentials>,
    pub(super) variants: Variants,
}

impl Api {
    pub(super) fn new(http: AccountHttp, config: Config, credentials: &Credentials) -> Result<Self> {
        credentials.part(ACCOUNT)?;
        credentials.part(AUTH_KEY)?;
        config.base_url.join(&config.path)?;
        let credentials = RwLock::new(credentials.clone());
        Ok(Self { http, config, credentials, variants: Variants::default() })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn http(&self) -> &AccountHttp {
        &self.http
    }

    pub(super) fn credentials(&self) -> Credentials {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn use_credentials(&self, credentials: &Credentials) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials.clone();
    }

    /// Calls a method with the account's credentials.
    pub(super) async fn call(
        &self,
        cx: &Context,
        operation: Operation,
        method: Method,
        query: &Query,
    ) -> Result<Response> {
        self.call_with(cx, operation, method, query, &self.credentials()).await
    }

    /// Calls a method with these credentials.
    pub(super) async fn call_with(
        &self,
        cx: &Context,
        operation: Operation,
        method: Method,
        query: &Query,
        credentials: &Credentials,
    ) -> Result<Response> {
        let nature = if method.changes() { Nature::UnsafeWrite } else { Nature::Read };
        let path = format!("{}/{}", self.config.path.trim_matches('/'), method.name());
        let url = self.config.base_url.join(&path)?;
        let (account, key) = (credentials.part(ACCOUNT)?, credentials.part(AUTH_KEY)?);
        let build = &|_| Ok(request(&url, &account, &key, query));
        let judge = &|response: &Response| judge(method, response);
        self.http.send(cx, Call { operation, nature, build, judge }).await
    }
}

/// A call's request. A signature has neither time nor nonce: whoever sees it can repeat the call for ever, so it counts
/// as a secret as the key does.
pub(super) fn request(url: &Url, account: &Secret, key: &Secret, query: &Query) -> Request {
    let text = encoded(account, query);
    let signature = signature(&text, key);
    let mut url = url.clone();
    url.set_query(Some(&format!("{text}&signing={signature}")));
    Request::get(url).keeping(key).keeping(&Secret::new(signature))
}

/// The query without its signature, encoded as a form is: the text that is signed is the text that is sent.
pub(super) fn encoded(account: &Secret, query: &Query) -> String {
    let mut text = format!("account={}", byte_serialize(account.expose().as_bytes()).collect::<String>());
    for (name, value) in query {
        text.push('&');
        text.push_str(name);
        text.push('=');
        text.extend(byte_serialize(value.as_bytes()));
    }
    text
}

/// MD5 of the query as it is sent with the key behind it, in lower-case hex.
pub(super) fn signature(text: &str, key: &Secret) -> String {
    let digest = Md5::new().chain_update(text).chain_update(key.expose()).finalize();
    digest.iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing into a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
