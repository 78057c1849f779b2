//! Consents, codes and tokens of YConnect v2 (document, "Authorization" and "Credentials").

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::call::Call;
use super::{CLIENT_ID, CLIENT_SECRET, ORDINARY_CLIENT_ID};
use crate::market::DEFAULT_SELLER;

const CODE_SECONDS: i64 = 600;
const ACCESS_SECONDS: i64 = 3_600;
/// A consent is good for so many days, whatever is refreshed.
const CONSENT_DAYS: i64 = 28;
/// Order calls without a good signature are good for so many hours from the consent.
const UNSIGNED_HOURS: i64 = 12;

const INVALID: &str =
    "Bearer realm=\"yahooapis.jp\", error=\"invalid_token\", error_description=\"invalid token\"";
const EXPIRED: &str =
    "Bearer realm=\"yahooapis.jp\", error=\"invalid_token\", error_description=\"expired token\"";

/// What a person agreed to.
#[derive(Debug, Clone)]
pub(super) struct Consent {
    pub(super) store: String,
    pub(super) client: String,
    at: DateTime<Utc>,
    refresh: String,
    pub(super) is_withdrawn: bool,
}

impl Consent {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.at + TimeDelta::days(CONSENT_DAYS) <= now
    }

    /// Whether an order call gets through, by this consent.
    pub(super) fn allows_orders(&self, is_signed: bool, now: DateTime<Utc>) -> bool {
        !self.is_over(now) && (is_signed || now < self.at + TimeDelta::hours(UNSIGNED_HOURS))
    }
}

#[derive(Debug)]
struct Access {
    text: String,
    consent: usize,
    until: DateTime<Utc>,
}

#[derive(Debug)]
struct Code {
    text: String,
    store: String,
    client: String,
    redirect: String,
    challenge: Option<(String, String)>,
    until: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub(super) struct Tokens {
    consents: Vec<Consent>,
    access: Vec<Access>,
    codes: Vec<Code>,
    made: u64,
}

/// An error of the token end point.
struct Refused(StatusCode, &'static str, &'static str);

impl Tokens {
    /// A consent with given tokens, as the face's credentials name them.
    pub(super) fn grant(
        &mut self,
        store: &str,
        client: &str,
        access: &str,
        refresh: &str,
        now: DateTime<Utc>,
    ) {
        self.access.push(Access {
            text: access.to_owned(),
            consent: self.consents.len(),
            until: now + TimeDelta::seconds(ACCESS_SECONDS),
        });
        self.consents.push(Consent {
            store: store.to_owned(),
            client: client.to_owned(),
            at: now,
            refresh: refresh.to_owned(),
            is_withdrawn: false,
        });
    }

    /// A fresh text that nobody can guess from the last by adding one.
    fn text(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{:016x}{:08x}", self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15), self.made)
    }

    /// A person of the store agrees: the code that the browser brings back.
    pub(super) fn code(&mut self, store: &str, redirect: &str, now: DateTime<Utc>) -> String {
        self.code_with(store, CLIENT_ID, redirect, None, now)
    }

    fn code_with(
        &mut self,
        store: &str,
        client: &str,
        redirect: &str,
        challenge: Option<(String, String)>,
        now: DateTime<Utc>,
    ) -> String {
        let text = self.text("SxlO");
        self.codes.push(Code {
            text: text.clone(),
            store: store.to_owned(),
            client: client.to_owned(),
            redirect: redirect.to_owned(),
            challenge,
            until: now + TimeDelta::seconds(CODE_SECONDS),
        });
        text
    }

    /// The person takes every consent of the store back.
    pub(super) fn withdraw(&mut self, store: &str) {
        self.consents.iter_mut().filter(|consent| consent.store == store).for_each(|c| c.is_withdrawn = true);
    }

    /// The consent behind an access token.
    ///
    /// # Errors
    /// What `WWW-Authenticate` says.
    pub(super) fn consent(&self, token: Option<&str>, now: DateTime<Utc>) -> Result<Consent, &'static str> {
        let access = self.access.iter().find(|access| Some(access.text.as_str()) == token).ok_or(INVALID)?;
        if access.until <= now {
            return Err(EXPIRED);
        }
        self.consents.get(access.consent).cloned().ok_or(INVALID)
    }

    /// The authorization page. Somebody of the demo store is logged in and agrees at once.
    pub(super) fn page(&mut self, call: &Call<'_>, now: DateTime<Utc>) -> Response {
        let bad = |name: &str| (StatusCode::BAD_REQUEST, format!("invalid_request: {name}")).into_response();
        let Some(client) = call.param("client_id").filter(|id| is_client(id)) else {
            return bad("client_id");
        };
        let Some(redirect) = call.param("redirect_uri").filter(|uri| uri.contains("://")) else {
            return bad("redirect_uri");
        };
        if call.param("response_type") != Some("code") {
            return bad("response_type");
        }
        if !call.param("scope").unwrap_or_default().split(' ').any(|scope| scope == "openid") {
            return bad("scope");
        }
        let challenge = call.param("code_challenge").map(|challenge| {
            let method = call.param("code_challenge_method").unwrap_or("plain");
            (method.to_owned(), challenge.to_owned())
        });
        let code = self.code_with(DEFAULT_SELLER, client, redirect, challenge, now);
        let mut back = form_urlencoded::Serializer::new(String::new());
        back.append_pair("code", &code);
        if let Some(state) = call.param("state") {
            back.append_pair("state", state);
        }
        let join = if redirect.contains('?') { '&' } else { '?' };
        let location = format!("{redirect}{join}{}", back.finish());
        (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
    }

    /// The token end point.
    pub(super) fn token(&mut self, call: &Call<'_>, same_refresh: bool, now: DateTime<Utc>) -> Response {
        let answer = client_of(call).and_then(|client| match call.param("grant_type") {
            Some("authorization_code") => self.exchange(call, &client, same_refresh, now),
            Some("refresh_token") => self.refresh(call, &client, now),
            Some(_) => Err(Refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", "unknown grant_type")),
            None => Err(Refused(StatusCode::BAD_REQUEST, "invalid_request", "grant_type is missing")),
        });
        match answer {
            Ok(body) => Json(body).into_response(),
            Err(Refused(status, error, text)) => {
                let body = json!({ "error": error, "error_description": text, "error_code": 1000 });
                (status, Json(body)).into_response()
            }
        }
    }

    fn exchange(
        &mut self,
        call: &Call<'_>,
        client: &str,
        same_refresh: bool,
        now: DateTime<Utc>,
    ) -> Result<Value, Refused> {
        let bad = |text| Refused(StatusCode::BAD_REQUEST, "invalid_grant", text);
        let at = self.codes.iter().position(|code| Some(code.text.as_str()) == call.param("code"));
        // A code works once, whatever comes of it.
        let code = self.codes.swap_remove(at.ok_or_else(|| bad("unknown code"))?);
        if code.until <= now || code.client != client {
            return Err(bad("the code is over"));
        }
        if call.param("redirect_uri") != Some(code.redirect.as_str()) {
            return Err(bad("redirect_uri does not match"));
        }
        if let Some((method, challenge)) = &code.challenge {
            let verifier = call.param("code_verifier").unwrap_or_default();
            let sent = match method.as_str() {
                "S256" => URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())),
                _ => verifier.to_owned(),
            };
            if sent != *challenge {
                return Err(bad("code_verifier does not match"));
            }
        }
        let access = self.text("access");
        let earlier = self.consents.iter().rposition(|c| c.store == code.store && c.client == client);
        let refresh = match earlier.filter(|_| same_refresh).and_then(|at| self.consents.get(at)) {
            Some(consent) => consent.refresh.clone(),
            None => self.text("refresh"),
        };
        self.grant(&code.store, client, &access, &refresh, now);
        Ok(json!({
            "access_token": access,
            "token_type": "Bearer",
            "refresh_token": refresh,
            "expires_in": ACCESS_SECONDS,
            "id_token": "sandbox.id.token",
        }))
    }

    fn refresh(&mut self, call: &Call<'_>, client: &str, now: DateTime<Utc>) -> Result<Value, Refused> {
        // The newest consent counts where two have the same token.
        let found = self
            .consents
            .iter()
            .rposition(|c| Some(c.refresh.as_str()) == call.param("refresh_token") && c.client == client);
        let consent = found.filter(|&at| {
            self.consents.get(at).is_some_and(|consent| !consent.is_withdrawn && !consent.is_over(now))
        });
        let bad = Refused(StatusCode::BAD_REQUEST, "invalid_grant", "the refresh token is unknown or over");
        let consent = consent.ok_or(bad)?;
        let text = self.text("access");
        let until = now + TimeDelta::seconds(ACCESS_SECONDS);
        self.access.push(Access { text: text.clone(), consent, until });
        // Without a refresh token: the old one stays.
        Ok(json!({ "access_token": text, "token_type": "Bearer", "expires_in": ACCESS_SECONDS }))
    }
}

fn is_client(id: &str) -> bool {
    id == CLIENT_ID || id == ORDINARY_CLIENT_ID
}

fn client_of(call: &Call<'_>) -> Result<String, Refused> {
    let in_form = || Some((call.param("client_id")?.to_owned(), call.param("client_secret")?.to_owned()));
    let sent = call.basic.clone().or_else(in_form);
    sent.filter(|(id, secret)| is_client(id) && secret == CLIENT_SECRET).map(|(id, _)| id).ok_or(Refused(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "client authentication failed",
    ))
}
