//! Access tokens, refresh tokens and authorization codes (sheet section 2).

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Failure, Outcome};
use super::call::Call;
use super::{ACCESS_TOKEN, APP_KEY, APP_SECRET, AUTH_CODE, OTHER_ACCESS_TOKEN, REFRESH_TOKEN, SCOPES, Shop};

/// An access token is good for so many days.
const ACCESS_DAYS: i64 = 7;
/// A refresh token is good for so many days.
const REFRESH_DAYS: i64 = 365;
/// A code is good for so many minutes, once.
const CODE_MINUTES: i64 = 30;

/// What a refresh does to the refresh token. The documentation says only that it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// A new one each time; the old one is dead at once.
    #[default]
    Rotate,
    /// The same one again.
    Stay,
}

/// What an authorization allows.
#[derive(Debug, Clone)]
struct Grant {
    seller: String,
    scopes: Vec<String>,
    refresh: String,
    refresh_until: DateTime<Utc>,
}

#[derive(Debug, Clone)]
struct Access {
    token: String,
    grant: usize,
    until: DateTime<Utc>,
}

#[derive(Debug)]
struct Code {
    code: String,
    seller: String,
    scopes: Vec<String>,
    until: DateTime<Utc>,
}

/// Who calls, by access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) seller: String,
    pub(super) scopes: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Tokens {
    grants: Vec<Grant>,
    access: Vec<Access>,
    codes: Vec<Code>,
    made: u64,
}

impl Tokens {
    /// The tokens and the code that stand in the face's credentials.
    pub(super) fn new(shops: &[Shop], now: DateTime<Utc>) -> Self {
        let mut tokens = Self { grants: Vec::new(), access: Vec::new(), codes: Vec::new(), made: 0 };
        let fixed = [(ACCESS_TOKEN, REFRESH_TOKEN), (OTHER_ACCESS_TOKEN, "sandbox-tts-other-refresh-token")];
        for (shop, (access, refresh)) in shops.iter().zip(fixed) {
            tokens.grants.push(Grant {
                seller: shop.seller.clone(),
                scopes: all_scopes(),
                refresh: refresh.to_owned(),
                refresh_until: now + TimeDelta::days(REFRESH_DAYS),
            });
            let grant = tokens.grants.len() - 1;
            tokens.access.push(Access {
                token: access.to_owned(),
                grant,
                until: now + TimeDelta::days(ACCESS_DAYS),
            });
        }
        if let Some(shop) = shops.first() {
            tokens.issue_code(AUTH_CODE.to_owned(), &shop.seller, all_scopes(), now);
        }
        tokens
    }

    /// A fresh text that nobody can guess from the last by adding one.
    fn text(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("ROW_sandbox_{kind}_{:016x}", self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(super) fn authorize(
        &mut self,
        seller: &str,
        scopes: Option<Vec<String>>,
        now: DateTime<Utc>,
    ) -> String {
        let code = self.text("code");
        self.issue_code(code.clone(), seller, scopes.unwrap_or_else(all_scopes), now);
        code
    }

    fn issue_code(&mut self, code: String, seller: &str, scopes: Vec<String>, now: DateTime<Utc>) {
        let until = now + TimeDelta::minutes(CODE_MINUTES);
        self.codes.push(Code { code, seller: seller.to_owned(), scopes, until });
    }

    /// # Errors
    /// 105001 for an unknown token, 105002 for an expired one.
    pub(super) fn caller(&self, token: Option<&str>, now: DateTime<Utc>) -> Result<Caller, Failure> {
        let token = token.ok_or_else(Failure::bad_token)?;
        let access =
            self.access.iter().find(|access| access.token == token).ok_or_else(Failure::bad_token)?;
        if access.until <= now {
            return Err(Failure::expired_token());
        }
        let grant = self.grants.get(access.grant).ok_or_else(Failure::bad_token)?;
        Ok(Caller { seller: grant.seller.clone(), scopes: grant.scopes.clone() })
    }

    /// The seller takes the authorization back: its tokens are dead.
    pub(super) fn deauthorize(&mut self, seller: &str) {
        let grants = &self.grants;
        self.access.retain(|access| grants.get(access.grant).is_some_and(|grant| grant.seller != seller));
        for grant in self.grants.iter_mut().filter(|grant| grant.seller == seller) {
            grant.refresh.clear();
        }
    }

    /// `GET /api/v2/token/get`.
    pub(super) fn get(&mut self, call: &Call<'_>, shops: &[Shop], now: DateTime<Utc>) -> Outcome {
        check_app(call, "authorized_code")?;
        let bad_code = || Failure::new(36_004_004, "invalid auth code");
        let at = self.codes.iter().position(|code| code.code == call.param("auth_code"));
        // A code works once, whatever comes of it.
        let code = self.codes.swap_remove(at.ok_or_else(bad_code)?);
        if code.until <= now {
            return Err(bad_code());
        }
        let refresh = self.text("refresh");
        let refresh_until = now + TimeDelta::days(REFRESH_DAYS);
        self.grants.push(Grant { seller: code.seller, scopes: code.scopes, refresh, refresh_until });
        Ok(self.issue(self.grants.len() - 1, shops, now))
    }

    /// `GET /api/v2/token/refresh`.
    pub(super) fn refresh(
        &mut self,
        call: &Call<'_>,
        shops: &[Shop],
        rule: RefreshTokens,
        now: DateTime<Utc>,
    ) -> Outcome {
        check_app(call, "refresh_token")?;
        let sent = call.param("refresh_token");
        let found = self.grants.iter().position(|grant| !sent.is_empty() && grant.refresh == sent);
        let at = found.ok_or_else(|| Failure::new(36_004_005, "can not find related auth record"))?;
        if self.grants[at].refresh_until <= now {
            return Err(Failure::new(36_004_001, "rt has expired"));
        }
        if rule == RefreshTokens::Rotate {
            self.grants[at].refresh = self.text("refresh");
        }
        Ok(self.issue(at, shops, now))
    }

    fn issue(&mut self, grant: usize, shops: &[Shop], now: DateTime<Utc>) -> Value {
        let token = self.text("access");
        let until = now + TimeDelta::days(ACCESS_DAYS);
        self.access.push(Access { token: token.clone(), grant, until });
        let Grant { seller, scopes, refresh, refresh_until } = &self.grants[grant];
        let shop = shops.iter().find(|shop| shop.seller == *seller);
        json!({
            "access_token": token,
            "access_token_expire_in": until.timestamp(),
            "refresh_token": refresh,
            "refresh_token_expire_in": refresh_until.timestamp(),
            "open_id": format!("sandbox-open-id-{seller}"),
            "seller_name": shop.map(|shop| &shop.name),
            "seller_base_region": shop.map(|shop| &shop.region),
            "user_type": 0,
            "granted_scopes": scopes,
        })
    }
}

fn all_scopes() -> Vec<String> {
    SCOPES.iter().map(|scope| (*scope).to_owned()).collect()
}

fn check_app(call: &Call<'_>, grant_type: &str) -> Result<(), Failure> {
    if call.param("app_key") != APP_KEY || call.param("app_secret") != APP_SECRET {
        return Err(Failure::new(36_004_003, "invalid app_key or app_secret"));
    }
    if call.param("grant_type") != grant_type {
        return Err(Failure::new(36_004_002, "invalid grant_type"));
    }
    Ok(())
}
