//! A shop on a sandbox, and a client that knows nothing but HTTP.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder, Response};
use sales_channels_sandbox::faces::qoo10::{KEY, Qoo10, Wording};
use sales_channels_sandbox::market::{ItemDraft, ItemId, LineDraft, LineNumber, OrderDraft};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::Value;

pub(crate) const BASE: &str = "/GMKT.INC.Front.QAPIService/ebayjapan.qapi";

/// Noon in Japan, 24 November 2026.
pub(crate) fn noon() -> DateTime<Utc> {
    at("2026-11-24T12:00:00+09:00")
}

pub(crate) fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) qoo10: Qoo10,
    pub(crate) client: Client,
}

impl Shop {
    /// Its answers are always spelt the same.
    pub(crate) async fn open() -> Self {
        Self::open_with(Qoo10::new().wording(Wording::Uniform)).await
    }

    pub(crate) async fn open_with(qoo10: Qoo10) -> Self {
        let sandbox = Sandbox::builder().face(qoo10.clone()).now(noon()).start().await.unwrap();
        // Each request on a connection of its own, so that a cut one never meets a reused connection.
        let client =
            Client::builder().timeout(Duration::from_secs(60)).pool_max_idle_per_host(0).build().unwrap();
        Self { sandbox, qoo10, client }
    }

    pub(crate) fn market(&self) -> &Market {
        self.sandbox.market()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url("qoo10").unwrap())
    }

    /// A well-formed request, not yet sent.
    pub(crate) fn request(&self, method: &str, params: &[(&str, &str)]) -> RequestBuilder {
        self.request_as(KEY, method, params)
    }

    pub(crate) fn request_as(&self, key: &str, method: &str, params: &[(&str, &str)]) -> RequestBuilder {
        let version = if method == "ItemsLookup.GetItemDetailInfo" { "1.2" } else { "1.0" };
        let mut form = vec![("returnType", "application/json")];
        form.extend(params);
        self.client
            .post(self.url(&format!("{BASE}/{method}")))
            .header("GiosisCertificationKey", key)
            .header("QAPIVersion", version)
            .form(&form)
    }

    pub(crate) async fn call(&self, method: &str, params: &[(&str, &str)]) -> Value {
        json(self.request(method, params).send().await.unwrap()).await
    }

    /// The code of a call.
    pub(crate) async fn code(&self, method: &str, params: &[(&str, &str)]) -> i64 {
        self.call(method, params).await["ResultCode"].as_i64().unwrap()
    }

    /// Orders that came in at noon by payment time, in one status or in 1 to 3.
    pub(crate) async fn shown(&self, status: &str) -> Vec<Value> {
        let params = [
            ("ShippingStatus", status),
            ("SearchStartDate", "20261124"),
            ("SearchEndDate", "20261124"),
            ("SearchCondition", "2"),
        ];
        rows(self.call("ShippingBasic.GetShippingInfo_v3", &params).await)
    }

    /// A paid order with so many lines, and its line numbers.
    pub(crate) fn place(&self, lines: usize) -> Vec<LineNumber> {
        let line = |n| LineDraft::unlisted(&format!("SKU-{n}"), "キャップ 🧢", Amount::whole(2480), 2);
        let draft = OrderDraft::of((0..lines).map(line).collect());
        let order = self.market().buyer().place(draft).unwrap();
        self.market().lines_of(order)
    }

    pub(crate) fn list(&self, draft: ItemDraft) -> ItemId {
        self.market().list(draft).unwrap()
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        let url = format!("{}{path}", self.sandbox.control_url());
        let mut request = self.client.request(method, url);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }
}

pub(crate) async fn json(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
    response.json().await.unwrap()
}

/// The rows of an answer that must have gone well and be an array.
pub(crate) fn rows(answer: Value) -> Vec<Value> {
    assert_eq!(answer["ResultCode"], 0, "{answer}");
    answer["ResultObject"].as_array().unwrap_or_else(|| panic!("no rows: {answer}")).clone()
}

/// What a face is given, as numbers.
pub(crate) fn numbers(rows: &[Value], field: &str) -> Vec<u64> {
    rows.iter().map(|row| row[field].as_u64().unwrap()).collect()
}
