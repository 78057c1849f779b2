//! The Yahoo! Shopping face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use reqwest::header::HeaderMap;
use roxmltree::Document;
use sales_channels_sandbox::faces::yahoo_shopping::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, CardAuthorization, FraudCheck, Gateway, KeyState,
    ORDINARY_CLIENT_ID, ORDINARY_REFRESH_TOKEN, OTHER_REFRESH_TOKEN, OTHER_SELLER, PartialStock, PublicKey,
    REFRESH_TOKEN, RefusedAs, RepeatedDispatch, Waiting, YahooShopping,
};
use sales_channels_sandbox::market::{
    Action, Axis, ClaimKind, ClaimState, DEFAULT_SELLER, ItemDraft, ItemId, LineDraft, LineNumber,
    OrderDraft, OrderNumber, OrderState,
};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::Value;

/// Noon in Japan, 24 November 2026.
fn noon() -> DateTime<Utc> {
    "2026-11-24T03:00:00Z".parse().unwrap()
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    /// The texts of all elements of a name.
    fn all(&self, name: &str) -> Vec<String> {
        let document = Document::parse(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text));
        let named = document.descendants().filter(|node| node.tag_name().name() == name);
        named.map(|node| node.text().unwrap_or_default().to_owned()).collect()
    }

    /// The text of the only element of a name.
    fn one(&self, name: &str) -> String {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {}", self.text);
        all[0].clone()
    }

    fn attribute(&self, element: &str, name: &str) -> Vec<String> {
        let document = Document::parse(&self.text).unwrap();
        let named = document.descendants().filter(|node| node.tag_name().name() == element);
        named.filter_map(|node| node.attribute(name)).map(str::to_owned).collect()
    }

    fn signed(&self) -> &str {
        self.headers.get("x-sws-authorize-status").map_or("", |value| value.to_str().unwrap())
    }

    /// HTTP status and code of an error.
    fn error(&self) -> (u16, String) {
        assert!(self.text.contains("<Error>"), "no error: {}", self.text);
        (self.status, self.all("Code").concat())
    }

    fn warnings(&self) -> Vec<String> {
        assert_eq!((self.status, self.one("Status").as_str()), (200, "OK"), "{}", self.text);
        self.all("Code")
    }
}

/// Encrypts as a store does that has the key only as text.
fn sign(key: &PublicKey, value: &str) -> String {
    let body: String = key.pem.lines().filter(|line| !line.starts_with("---")).collect();
    let public = PublicEncryptingKey::from_der(&STANDARD.decode(body).unwrap()).unwrap();
    let public = Pkcs1PublicEncryptingKey::new(public).unwrap();
    let mut out = vec![0; public.ciphertext_size()];
    STANDARD.encode(public.encrypt(value.as_bytes(), &mut out).unwrap())
}

struct Shop {
    sandbox: Sandbox,
    face: YahooShopping,
    client: Client,
    token: String,
    key: PublicKey,
}

impl Shop {
    async fn open() -> Self {
        let face = YahooShopping::new();
        let sandbox = Sandbox::builder().face(face.clone()).now(noon()).start().await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let key = face.public_key().unwrap();
        Self { sandbox, face, client, token: ACCESS_TOKEN.into(), key }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url("yahoo_shopping").unwrap())
    }

    fn value(&self) -> String {
        format!("{DEFAULT_SELLER}:{}", self.sandbox.clock().now().timestamp())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    fn method_url(&self, method: &str) -> String {
        self.url(&format!("/ShoppingWebService/V1/{method}"))
    }

    /// With the headers of a signature, or without.
    async fn xml_signed(&self, method: &str, body: &str, signature: Option<(&str, &str)>) -> Answer {
        let mut request = self
            .client
            .post(self.method_url(method))
            .header("content-type", "application/xml; charset=UTF-8")
            .bearer_auth(&self.token)
            .body(body.to_owned());
        if let Some((signature, version)) = signature {
            request = request.header("X-sws-signature", signature).header("X-sws-signature-version", version);
        }
        self.send(request).await
    }

    async fn xml(&self, method: &str, body: &str) -> Answer {
        let signature = sign(&self.key, &self.value());
        self.xml_signed(method, body, Some((&signature, "1"))).await
    }

    async fn get(&self, method: &str, query: &[(&str, &str)]) -> Answer {
        let url = reqwest::Url::parse_with_params(&self.method_url(method), query).unwrap();
        self.send(self.client.get(url).bearer_auth(&self.token)).await
    }

    async fn form(&self, method: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.client.post(self.method_url(method)).bearer_auth(&self.token).form(form)).await
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        self.token_as(CLIENT_ID, CLIENT_SECRET, form).await
    }

    async fn token_as(&self, id: &str, secret: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request =
            self.client.post(self.url("/yconnect/v2/token")).basic_auth(id, Some(secret)).form(form);
        let answer = self.send(request).await;
        (answer.status, serde_json::from_str(&answer.text).unwrap())
    }

    /// A new access token for a refresh token.
    async fn refresh(&mut self, refresh: &str) {
        let (status, answer) =
            self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
        assert_eq!(status, 200, "{answer}");
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    async fn list_with(&self, search: &str) -> Answer {
        let body = format!("<Req><Search>{search}</Search><SellerId>{DEFAULT_SELLER}</SellerId></Req>");
        self.xml("orderList", &body).await
    }

    /// The ids of a list of all days with more conditions.
    async fn ids(&self, conditions: &str) -> Vec<String> {
        let answer = self
            .list_with(&format!(
                "<Result>2000</Result><Condition><OrderTimeFrom>20200101000000</OrderTimeFrom>{conditions}</Condition>\
                 <Field>OrderId</Field>"
            ))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.all("OrderId")
    }

    async fn info(&self, order: OrderNumber, fields: &str) -> Answer {
        let body = format!(
            "<Req><Target><OrderId>{}</OrderId><Field>{fields}</Field></Target><SellerId>{DEFAULT_SELLER}</SellerId></Req>",
            id_of(order)
        );
        self.xml("orderInfo", &body).await
    }

    async fn value_of(&self, order: OrderNumber, field: &str) -> String {
        let answer = self.info(order, field).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.one(field)
    }

    async fn change(&self, method: &str, order: OrderNumber, target: &str, wanted: &str) -> Answer {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Req><Target><OrderId>{}</OrderId>{target}</Target>\
             <Order>{wanted}</Order><SellerId>{DEFAULT_SELLER}</SellerId></Req>",
            id_of(order)
        );
        self.xml(method, &body).await
    }

    async fn see(&self, order: OrderNumber) -> Answer {
        self.change("orderChange", order, "", "<IsSeen>true</IsSeen>").await
    }

    async fn ship(&self, order: OrderNumber, ship: &str) -> Answer {
        let wanted = format!("<Ship>{ship}</Ship>");
        self.change("orderShipStatusChange", order, "<IsPointFix>true</IsPointFix>", &wanted).await
    }

    async fn ship_as(&self, order: OrderNumber, number: &str) -> Answer {
        let ship = format!(
            "<ShipStatus>3</ShipStatus><ShipCompanyCode>1001</ShipCompanyCode>\
             <ShipInvoiceNumber1>{number}</ShipInvoiceNumber1><ShipDate>20261124</ShipDate>"
        );
        self.ship(order, &ship).await
    }

    async fn set_status(&self, order: OrderNumber, status: u8, more: &str) -> Answer {
        let fix = format!("<IsPointFix>{}</IsPointFix>", status == 5);
        let wanted = format!("<OrderStatus>{status}</OrderStatus>{more}");
        self.change("orderStatusChange", order, &fix, &wanted).await
    }

    async fn cancel(&self, order: OrderNumber, reason: &str) -> Answer {
        self.set_status(order, 4, &format!("<CancelReason>{reason}</CancelReason>")).await
    }

    async fn set_stock(&self, codes: &str, quantities: &str) -> Answer {
        let form = [("seller_id", DEFAULT_SELLER), ("item_code", codes), ("quantity", quantities)];
        self.form("setStock", &form).await
    }

    async fn get_stock(&self, codes: &str) -> Answer {
        self.form("getStock", &[("seller_id", DEFAULT_SELLER), ("item_code", codes)]).await
    }

    fn place(&self) -> OrderNumber {
        self.market().buyer().place(OrderDraft::example()).unwrap()
    }

    /// Two lines, the first of a listed item.
    fn place_listed(&self, item: ItemId) -> OrderNumber {
        let lines = vec![
            LineDraft::of(item, 2),
            LineDraft::unlisted("GIFT", "Gift <b> & bag ]]> 🎁", Amount::whole(100), 1),
        ];
        self.market().buyer().place(OrderDraft::of(lines)).unwrap()
    }

    fn list_cap(&self) -> ItemId {
        self.market().list(ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 60)).unwrap()
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.market().lines_of(order)[0]
    }

    fn state(&self, order: OrderNumber) -> OrderState {
        self.market().order(order).unwrap().state()
    }
}

fn id_of(order: OrderNumber) -> String {
    format!("{DEFAULT_SELLER}-{order}")
}

fn pair(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

// Tokens and consents

#[tokio::test]
async fn a_code_from_the_page_is_exchanged_once_for_tokens() {
    let shop = Shop::open().await;
    let query = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", "https://client.example.org/cb"),
        ("scope", "openid profile"),
        ("bail", "1"),
        ("state", "s 1"),
    ];
    let page = reqwest::Url::parse_with_params(&shop.url("/yconnect/v2/authorization"), query).unwrap();
    let answer = shop.send(shop.client.get(page)).await;
    assert_eq!(answer.status, 302);
    let back: reqwest::Url = answer.headers["location"].to_str().unwrap().parse().unwrap();
    let param = |name: &str| back.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
    assert_eq!(param("state"), "s 1");
    let code = param("code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "https://client.example.org/cb"),
    ];
    let (status, tokens) = shop.token(&form).await;
    assert_eq!(
        (status, tokens["token_type"].as_str(), tokens["expires_in"].as_u64()),
        (200, Some("Bearer"), Some(3600))
    );
    assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
    let (status, again) = shop.token(&form).await;
    assert_eq!((status, again["error"].as_str()), (400, Some("invalid_grant")));
}

#[tokio::test]
async fn a_code_dies_after_ten_minutes_and_needs_its_redirect() {
    let shop = Shop::open().await;
    for (redirect, minutes) in [("https://b.example", 0), ("https://a.example", 10)] {
        let code = shop.face.agree(DEFAULT_SELLER, "https://a.example").unwrap();
        shop.sandbox.advance(TimeDelta::minutes(minutes));
        let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", redirect)];
        let (status, answer) = shop.token(&form).await;
        assert_eq!((status, answer["error"].as_str()), (400, Some("invalid_grant")), "{redirect}");
    }
}

#[tokio::test]
async fn a_refresh_brings_an_access_token_alone_and_extends_nothing() {
    let mut shop = Shop::open().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", REFRESH_TOKEN)];
    let (status, answer) = shop.token(&form).await;
    assert_eq!(status, 200);
    assert!(answer.get("refresh_token").is_none());
    shop.sandbox.advance(TimeDelta::days(27));
    shop.refresh(REFRESH_TOKEN).await;
    shop.sandbox.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    shop.refresh(REFRESH_TOKEN).await;
    assert_eq!(shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await.status, 200);
    shop.sandbox.advance(TimeDelta::seconds(1));
    let (status, answer) = shop.token(&form).await;
    assert_eq!((status, answer["error"].as_str()), (400, Some("invalid_grant")));
    // The access token has 59 minutes left, and the 4 weeks are over.
    assert_eq!(shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await.error(), pair(401, "px-04102"));
    assert!(shop.xml("orderList", "").await.error() == pair(401, "px-04102"));
}

#[tokio::test]
async fn a_new_consent_can_bring_the_same_refresh_token_with_a_new_end() {
    let mut shop = Shop::open().await;
    shop.face.set_same_refresh_token(true);
    shop.sandbox.advance(TimeDelta::days(20));
    let code = shop.face.agree(DEFAULT_SELLER, "https://a.example").unwrap();
    let form =
        [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "https://a.example")];
    let (_, tokens) = shop.token(&form).await;
    assert_eq!(tokens["refresh_token"].as_str(), Some(REFRESH_TOKEN));
    shop.sandbox.advance(TimeDelta::days(20));
    shop.refresh(REFRESH_TOKEN).await;
    assert_eq!(shop.ids("").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_application_gets_no_token() {
    let shop = Shop::open().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", REFRESH_TOKEN)];
    for (id, secret) in [(CLIENT_ID, "wrong"), ("unknown", CLIENT_SECRET)] {
        let (status, answer) = shop.token_as(id, secret, &form).await;
        assert_eq!((status, answer["error"].as_str()), (401, Some("invalid_client")));
    }
    let in_form = [form[0], form[1], ("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
    let answer = shop.send(shop.client.post(shop.url("/yconnect/v2/token")).form(&in_form)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let (status, answer) = shop.token(&[("grant_type", "password")]).await;
    assert_eq!((status, answer["error"].as_str()), (400, Some("unsupported_grant_type")));
}

#[tokio::test]
async fn bad_access_tokens_are_told_in_a_header() {
    let mut shop = Shop::open().await;
    shop.token = "unknown".into();
    let answer = shop.xml("orderList", "").await;
    assert_eq!(answer.error(), pair(401, ""));
    assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    shop.token = ACCESS_TOKEN.into();
    shop.sandbox.advance(TimeDelta::hours(1));
    let answer = shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await;
    assert_eq!(answer.error(), pair(401, ""));
    assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("expired token"));
    let form = [("grant_type", "refresh_token"), ("refresh_token", ORDINARY_REFRESH_TOKEN)];
    let (_, tokens) = shop.token_as(ORDINARY_CLIENT_ID, CLIENT_SECRET, &form).await;
    shop.token = tokens["access_token"].as_str().unwrap().to_owned();
    let answer = shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await;
    assert_eq!(answer.error(), pair(401, ""));
    assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
}

#[tokio::test]
async fn a_withdrawn_consent_ends_calls_and_refreshes() {
    let shop = Shop::open().await;
    shop.face.withdraw(DEFAULT_SELLER);
    let answer = shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await;
    assert_eq!(answer.error(), pair(403, "px-04307"));
    let (status, _) = shop.token(&[("grant_type", "refresh_token"), ("refresh_token", REFRESH_TOKEN)]).await;
    assert_eq!(status, 400);
}

// Signatures

#[tokio::test]
async fn a_good_signature_is_told_and_a_changed_byte_is_not_taken() {
    let shop = Shop::open().await;
    let good = sign(&shop.key, &shop.value());
    let search = list_body("");
    let answer = shop.xml_signed("orderList", &search, Some((&good, "1"))).await;
    assert_eq!((answer.status, answer.signed()), (200, "authorized"));
    let mut bytes = STANDARD.decode(&good).unwrap();
    bytes[40] ^= 1;
    let changed = STANDARD.encode(bytes);
    let answer = shop.xml_signed("orderList", &search, Some((&changed, "1"))).await;
    assert_eq!((answer.status, answer.signed()), (200, "invalid-authorize-value"));
}

fn list_body(conditions: &str) -> String {
    format!(
        "<Req><Search><Condition><OrderTimeFrom>20200101000000</OrderTimeFrom>{conditions}</Condition>\
         <Field>OrderId</Field></Search><SellerId>{DEFAULT_SELLER}</SellerId></Req>"
    )
}

#[tokio::test]
async fn every_fault_of_a_signature_has_its_word() {
    let shop = Shop::open().await;
    let now = noon().timestamp();
    let with = |value: String| sign(&shop.key, &value);
    let good = with(shop.value());
    let cases = [
        (None, "none"),
        (Some((good.clone(), "one")), "invalid-key-version"),
        (Some((good.clone(), "2")), "not-found-key-version"),
        (Some(("@@@".into(), "1")), "invalid-authorize-value"),
        (Some((with("no colon".into()), "1")), "invalid-authorize-value"),
        (Some((with(format!("{OTHER_SELLER}:{now}")), "1")), "invalid-sellerid"),
        (Some((with(format!("{DEFAULT_SELLER}:soon")), "1")), "invalid-timestamp"),
        (Some((with(format!("{DEFAULT_SELLER}:{}", now - 601)), "1")), "expired-timestamp"),
        (Some((with(format!("{DEFAULT_SELLER}:{}", now - 600)), "1")), "authorized"),
    ];
    for (signature, word) in cases {
        let signature = signature.as_ref().map(|(text, version)| (text.as_str(), *version));
        let answer = shop.xml_signed("orderList", &list_body(""), signature).await;
        assert_eq!((answer.status, answer.signed()), (200, word));
    }
    assert!(shop.face.set_key_state(DEFAULT_SELLER, 1, KeyState::Invalid));
    let answer = shop.xml_signed("orderList", &list_body(""), Some((&good, "1"))).await;
    assert_eq!(answer.signed(), "invalid-key-status");
}

#[tokio::test]
async fn a_key_is_good_for_a_year_and_a_new_one_has_the_next_version() {
    let mut shop = Shop::open().await;
    shop.sandbox.advance(TimeDelta::days(365));
    let code = shop.face.agree(DEFAULT_SELLER, "https://a.example").unwrap();
    let form =
        [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "https://a.example")];
    shop.token = shop.token(&form).await.1["access_token"].as_str().unwrap().to_owned();
    let old = sign(&shop.key, &shop.value());
    let answer = shop.xml_signed("orderList", &list_body(""), Some((&old, "1"))).await;
    assert_eq!(answer.signed(), "expired-key-version");
    let key = shop.face.issue_key(DEFAULT_SELLER).unwrap();
    assert_eq!(key.version, 2);
    let new = sign(&key, &shop.value());
    let answer = shop.xml_signed("orderList", &list_body(""), Some((&new, "2"))).await;
    assert_eq!(answer.signed(), "authorized");
}

#[tokio::test]
async fn unsigned_order_calls_stop_12_hours_after_the_consent() {
    let mut shop = Shop::open().await;
    let order = shop.place();
    shop.sandbox.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
    shop.refresh(REFRESH_TOKEN).await;
    assert_eq!(shop.xml_signed("orderList", &list_body(""), None).await.status, 200);
    shop.sandbox.advance(TimeDelta::seconds(1));
    for method in ["orderList", "orderInfo", "orderChange"] {
        let answer = shop.xml_signed(method, &list_body(""), None).await;
        assert_eq!(answer.error(), pair(401, "px-04102"), "{method}");
        assert_eq!(answer.signed(), "none");
    }
    // A refresh does not help, a signature does, and other calls need none.
    shop.refresh(REFRESH_TOKEN).await;
    assert_eq!(shop.xml_signed("orderList", &list_body(""), None).await.status, 401);
    assert_eq!(shop.ids("").await, [id_of(order)]);
    assert_eq!(shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await.status, 200);
}

// Who may call, and how often

#[tokio::test]
async fn stores_are_checked_by_every_kind_of_call() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("orderCount", &[]).await.error(), pair(400, "px-04001"));
    let other = shop.get("orderCount", &[("sellerId", OTHER_SELLER)]).await;
    assert_eq!(other.error(), pair(403, "px-14303"));
    let unknown = shop.get("orderCount", &[("sellerId", "nobody")]).await;
    assert_eq!(unknown.error(), pair(403, "px-14304"));
    assert_eq!(shop.xml("orderList", "<Req></Req>").await.error(), pair(400, "px-04001"));
    assert_eq!(shop.form("getStock", &[("item_code", "a")]).await.error(), pair(400, "st-02100"));
    assert_eq!(shop.get("myItemList", &[]).await.error(), pair(400, "ed-00003"));
    assert_eq!(shop.get("myItemList", &[("seller_id", "nobody")]).await.error(), pair(400, "ed-00004"));
    assert_eq!(shop.get("myItemList", &[("seller_id", "No Body")]).await.error(), pair(400, "ed-00005"));
    assert_eq!(shop.xml("orderLists", "").await.error(), pair(404, "px-04400"));
}

#[tokio::test]
async fn a_store_sees_its_own_orders_only() {
    let mut shop = Shop::open().await;
    let draft = OrderDraft { seller: OTHER_SELLER.into(), ..OrderDraft::example() };
    let other = shop.market().buyer().place(draft).unwrap();
    assert_eq!(shop.ids("").await, Vec::<String>::new());
    assert_eq!(shop.info(other, "OrderId").await.error(), pair(404, "od91801"));
    shop.refresh(OTHER_REFRESH_TOKEN).await;
    let answer = shop.xml("orderList", &list_body("").replace(DEFAULT_SELLER, OTHER_SELLER)).await;
    assert_eq!(answer.all("OrderId"), [format!("{OTHER_SELLER}-{other}")]);
}

#[tokio::test]
async fn the_gateway_and_trouble_have_their_codes() {
    let shop = Shop::open().await;
    let item = [("seller_id", DEFAULT_SELLER), ("item_code", "a")];
    for (gateway, code) in [(Gateway::NotApproved, "px-04303"), (Gateway::AddressRefused, "px-04306")] {
        shop.face.set_gateway(gateway);
        assert_eq!(shop.xml("orderList", &list_body("")).await.error(), pair(403, code));
        assert_eq!(shop.get("getItem", &item).await.status, 200);
    }
    shop.face.set_gateway(Gateway::Open);
    shop.face.set_trouble(true);
    assert_eq!(shop.xml("orderList", &list_body("")).await.error(), pair(500, "od91001"));
    assert_eq!(shop.form("getStock", &item).await.error(), pair(503, "st-02000"));
    assert_eq!(shop.get("getItem", &item).await.error(), pair(500, "ed-00001"));
}

#[tokio::test]
async fn a_second_call_of_a_method_in_a_second_locks_it() {
    let shop = Shop::open().await;
    let count = || shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]);
    assert_eq!((count().await.status, count().await.status), (200, 200));
    shop.face.set_limits(true);
    assert_eq!(count().await.status, 200);
    assert_eq!(shop.xml("orderList", &list_body("")).await.status, 200);
    assert_eq!(count().await.status, 429);
    shop.sandbox.advance(TimeDelta::seconds(59));
    assert_eq!(count().await.status, 429);
    shop.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(count().await.status, 200);
}

#[tokio::test]
async fn the_calls_of_a_day_in_japan_are_counted() {
    let mut shop = Shop::open().await;
    shop.face.set_limits(true);
    shop.face.set_calls_per_day(2);
    for expected in [200, 200, 403] {
        let answer = shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
        if expected == 403 {
            assert_eq!(
                (answer.all("Code").len(), answer.one("Message").as_str()),
                (0, "Your Request was Forbidden")
            );
        }
        shop.sandbox.advance(TimeDelta::seconds(2));
    }
    // Midnight in Japan is 12 hours after noon.
    shop.sandbox.set_now(noon() + TimeDelta::hours(12));
    shop.refresh(REFRESH_TOKEN).await;
    assert_eq!(shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await.status, 200);
}

// orderList

#[tokio::test]
async fn a_list_has_the_shape_of_the_documentation() {
    let shop = Shop::open().await;
    let order = shop.place();
    let fields = "OrderId,OrderTime,LastUpdateTime,OrderStatus,IsSeen,IsSplit,PayStatus,ShipStatus,IsReadOnly,FraudHoldStatus,PublicationTime,Suspect";
    let search = format!(
        "<Condition><OrderTimeFrom>20261124120000</OrderTimeFrom><OrderTimeTo>20261124120000</OrderTimeTo></Condition>\
         <Field>{fields}</Field>"
    );
    let answer = shop.list_with(&search).await;
    let row = format!(
        "<OrderInfo><Index>1</Index><OrderId>{}</OrderId><OrderTime>2026-11-24T12:00:00+09:00</OrderTime>\
         <LastUpdateTime>2026-11-24T12:00:00+09:00</LastUpdateTime><OrderStatus>2</OrderStatus><IsSeen>false</IsSeen>\
         <IsSplit>false</IsSplit><PayStatus>1</PayStatus><ShipStatus>1</ShipStatus><IsReadOnly>0</IsReadOnly>\
         <FraudHoldStatus></FraudHoldStatus><PublicationTime></PublicationTime><Suspect>0</Suspect></OrderInfo>",
        id_of(order)
    );
    let whole =
        format!("<Result><Status>OK</Status><Search><TotalCount>1</TotalCount>{row}</Search></Result>");
    assert!(answer.text.ends_with(&whole), "{}", answer.text);
    assert!(answer.headers["content-type"].to_str().unwrap().contains("xml"));
}

#[tokio::test]
async fn nothing_found_and_past_the_end_differ() {
    let shop = Shop::open().await;
    let answer = shop.xml("orderList", &list_body("")).await;
    assert_eq!((answer.one("TotalCount").as_str(), answer.all("OrderInfo").len()), ("0", 0));
    shop.place();
    for window in ["<Start>2</Start>", "<Result>0</Result>"] {
        let search = format!(
            "{window}<Condition><OrderTimeFrom>20200101000000</OrderTimeFrom></Condition><Field>OrderId</Field>"
        );
        let answer = shop.list_with(&search).await;
        assert_eq!((answer.one("TotalCount").as_str(), answer.all("OrderInfo").len()), ("1", 1));
        assert!(answer.text.contains("<OrderInfo />"), "{}", answer.text);
    }
}

#[tokio::test]
async fn pages_go_by_start_and_result_in_the_order_of_time() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(id_of(shop.place()));
        shop.sandbox.advance(TimeDelta::seconds(1));
    }
    let page = async |start: usize, more: &str| {
        let search = format!(
            "<Start>{start}</Start>{more}<Condition><OrderTimeFrom>20200101000000</OrderTimeFrom></Condition>\
             <Field>OrderId</Field>"
        );
        let answer = shop.list_with(&search).await;
        assert_eq!(answer.one("TotalCount"), "5");
        (answer.all("OrderId"), answer.all("Index"))
    };
    assert_eq!(page(3, "<Result>2</Result>").await, (orders[2..4].to_vec(), vec!["3".into(), "4".into()]));
    let newest = page(1, "<Result>1</Result><Sort>-order_time</Sort>").await;
    assert_eq!(newest.0, orders[4..]);
    // A smaller page than asked for, switched on.
    shop.face.set_page_size(2);
    assert_eq!(page(1, "<Result>2000</Result>").await.0, orders[..2]);
    assert_eq!(page(5, "<Result>2000</Result>").await.0, orders[4..]);
}

#[tokio::test]
async fn bad_lists_are_refused_with_the_name() {
    let shop = Shop::open().await;
    let time = "<Condition><OrderTimeFrom>20261124000000</OrderTimeFrom></Condition>";
    let cases = [
        (format!("{time}<Field>OrderId,IsGift</Field>"), "IsGift"),
        (format!("{time}<Field>OrderId, IsSeen</Field>"), " IsSeen"),
        (format!("{time}<Field>CancelReason</Field>"), "CancelReason"),
        (time.to_owned(), "Field"),
        ("<Field>OrderId</Field>".into(), "Condition"),
        ("<Condition><IsSeen>true</IsSeen></Condition><Field>OrderId</Field>".into(), "Condition"),
        (with_condition("<OrderTimeTo>2026-11-24</OrderTimeTo>"), "OrderTimeTo"),
        (with_condition("<Seen>false</Seen>"), "Seen"),
        (with_condition("<OrderStatus>2,6</OrderStatus>"), "OrderStatus"),
        (with_condition("<IsSeen>true,false</IsSeen>"), "IsSeen"),
        (with_condition("<ReadOnlyMode>3</ReadOnlyMode>"), "ReadOnlyMode"),
        (format!("<Result>2001</Result>{time}<Field>OrderId</Field>"), "Result"),
        (format!("<Start>0</Start>{time}<Field>OrderId</Field>"), "Start"),
        (format!("<Sort>order_time</Sort>{time}<Field>OrderId</Field>"), "Sort"),
    ];
    for (search, name) in cases {
        let answer = shop.list_with(&search).await;
        assert_eq!(answer.error(), pair(400, "od90101"), "{search}");
        assert_eq!(answer.one("Message"), format!("Request Parameter Error : {name}"));
    }
}

fn with_condition(condition: &str) -> String {
    format!(
        "<Condition><OrderTimeFrom>20261124000000</OrderTimeFrom>{condition}</Condition><Field>OrderId</Field>"
    )
}

#[tokio::test]
async fn conditions_choose_by_status_time_and_item() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    let (new, seen) = (shop.place(), shop.place_listed(cap));
    shop.see(seen).await;
    let unpaid = shop.market().buyer().place(OrderDraft { unpaid: true, ..OrderDraft::example() }).unwrap();
    let [new, seen, unpaid] = [new, seen, unpaid].map(id_of);
    for (condition, expected) in [
        ("<IsSeen>true</IsSeen>".to_owned(), vec![&seen]),
        ("<OrderStatus>2</OrderStatus><IsSeen>false</IsSeen>".into(), vec![&new, &unpaid]),
        ("<PayStatus>0</PayStatus>".into(), vec![&unpaid]),
        ("<ShipStatus>0,1</ShipStatus>".into(), vec![&new, &seen, &unpaid]),
        ("<ItemId>CAP-02</ItemId>".into(), vec![&seen]),
        ("<Title>Gift</Title>".into(), vec![&seen]),
        ("<IsActive>false</IsActive>".into(), vec![]),
        (format!("<OrderId>{seen}</OrderId>"), vec![&seen]),
        ("<OrderTimeTo>20261124115959</OrderTimeTo>".into(), vec![]),
    ] {
        assert_eq!(shop.ids(&condition).await.iter().collect::<Vec<_>>(), expected, "{condition}");
    }
    let unknown = shop.xml("orderList", &list_body("<OrderId>demo-seller-1</OrderId>")).await;
    assert_eq!((unknown.error(), unknown.one("Detail")), (pair(404, "od91801"), "demo-seller-1".into()));
}

#[tokio::test]
async fn in_the_buyers_minutes_an_order_is_hidden_and_read_only() {
    let shop = Shop::open().await;
    shop.face.set_read_only_minutes(10);
    let order = shop.place();
    assert_eq!(shop.ids("").await, Vec::<String>::new());
    for (mode, rows) in [(0, 0), (1, 1), (2, 1)] {
        let mode = format!("<ReadOnlyMode>{mode}</ReadOnlyMode>");
        assert_eq!(shop.ids(&mode).await.len(), rows, "{mode}");
    }
    assert_eq!(shop.value_of(order, "IsReadOnly").await, "1");
    for answer in [shop.see(order).await, shop.ship_as(order, "12").await, shop.cancel(order, "210").await] {
        assert_eq!(answer.error(), pair(400, "od90137"));
    }
    assert_eq!(shop.state(order), OrderState::Paid);
    shop.sandbox.advance(TimeDelta::minutes(10));
    assert_eq!(shop.ids("").await, [id_of(order)]);
    assert_eq!(shop.ids("<ReadOnlyMode>1</ReadOnlyMode>").await.len(), 0);
    assert_eq!(shop.value_of(order, "LastUpdateTime").await, "2026-11-24T12:10:00+09:00");
    shop.see(order).await.warnings();
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
}

#[tokio::test]
async fn orders_held_for_fraud_come_later_at_their_old_time() {
    let shop = Shop::open().await;
    let order = shop.place();
    shop.face.set_fraud(order, FraudCheck::Checking);
    assert_eq!(shop.ids("").await.len(), 0);
    assert_eq!(shop.ids("<FraudHoldDisplayType>1</FraudHoldDisplayType>").await, [id_of(order)]);
    assert_eq!(shop.value_of(order, "FraudHoldStatus").await, "1");
    assert_eq!(shop.see(order).await.error(), pair(400, "od90137"));
    assert_eq!(shop.set_status(order, 3, "").await.error(), pair(400, "od90137"));
    shop.sandbox.advance(TimeDelta::minutes(50));
    shop.face.set_fraud(order, FraudCheck::Released);
    assert_eq!(shop.ids("").await, [id_of(order)]);
    let window = |from: &str| {
        format!(
            "<Condition><PublicationTimeFrom>{from}</PublicationTimeFrom></Condition><Field>OrderId,OrderTime</Field>"
        )
    };
    let answer = shop.list_with(&window("20261124125000")).await;
    assert_eq!(answer.one("OrderTime"), "2026-11-24T12:00:00+09:00");
    assert_eq!(shop.list_with(&window("20261124125001")).await.one("TotalCount"), "0");
    shop.see(order).await.warnings();
    // Fraud takes nothing but a cancellation.
    shop.face.set_fraud(order, FraudCheck::Fraud);
    assert_eq!(shop.ship_as(order, "12").await.error(), pair(400, "od90137"));
    shop.cancel(order, "170").await.warnings();
    assert_eq!(shop.state(order), OrderState::Cancelled);
}

// orderInfo

#[tokio::test]
async fn details_come_in_groups_and_only_where_they_were_asked_for() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    let order = shop.place_listed(cap);
    let answer = shop
        .info(order, "OrderId,PayStatus,ShipLastName,ShipFirstName,ShipCity,LineId,ItemId,Title,UnitPrice,Quantity,SubCode,TotalPrice")
        .await;
    assert_eq!(answer.one("Status"), "OK");
    assert_eq!((answer.one("ShipLastName"), answer.one("ShipFirstName")), ("山田".into(), "花子".into()));
    assert_eq!(answer.all("LineId"), ["1", "2"]);
    assert_eq!(answer.all("ItemId"), ["CAP-02", "GIFT"]);
    assert_eq!(answer.all("Quantity"), ["2", "1"]);
    assert!(answer.text.contains("]]]]><![CDATA[>"));
    assert_eq!(answer.one("TotalPrice"), "5060");
    for absent in ["Seller", "Buyer"] {
        assert_eq!(answer.all(absent).len(), 0);
    }
    assert_eq!(shop.info(order, "OrderId").await.all("Pay").len(), 0);
}

#[tokio::test]
async fn bad_details_are_refused() {
    let shop = Shop::open().await;
    let order = shop.place();
    assert_eq!(shop.info(order, "OrderId,Nothing").await.error(), pair(400, "od90101"));
    assert_eq!(shop.info(OrderNumber(1), "OrderId").await.error(), pair(404, "od91801"));
    let outside = format!(
        "<Req><Target><OrderId>{}</OrderId></Target><Field>OrderId</Field><SellerId>{DEFAULT_SELLER}</SellerId></Req>",
        id_of(order)
    );
    assert_eq!(shop.xml("orderInfo", &outside).await.error(), pair(400, "od90101"));
}

#[tokio::test]
async fn coupons_options_and_reading_do_not_confirm() {
    let shop = Shop::open().await;
    let draft = ItemDraft::simple("TEE", "T", Amount::whole(1000), 0).with_option(
        vec![Axis::new("色", "赤"), Axis::new("サイズ", "M")],
        "TEE-R",
        10,
    );
    let item = shop.market().list(draft).unwrap();
    let option = shop.market().item(item).unwrap().options[0].id;
    let line = |discount, quantity| LineDraft {
        discount: Amount::whole(discount),
        ..LineDraft::of_option(item, option, quantity)
    };
    let draft = OrderDraft::of(vec![line(200, 2), line(100, 3)]);
    let order = shop.market().buyer().place(draft).unwrap();
    let answer = shop
        .info(order, "SubCode,ItemOption,UnitPrice,OriginalPrice,CouponDiscount,Discount,TotalPrice")
        .await;
    assert_eq!(answer.all("SubCode"), ["TEE-R", "TEE-R"]);
    assert_eq!(answer.all("Value"), ["赤", "M", "赤", "M"]);
    assert_eq!(answer.all("UnitPrice"), ["900", "1000"]);
    assert_eq!(answer.all("OriginalPrice"), ["1000", ""]);
    assert_eq!(answer.all("CouponDiscount"), ["200", ""]);
    assert_eq!((answer.one("Discount"), answer.one("TotalPrice")), ("100".into(), "4700".into()));
    assert_eq!(shop.value_of(order, "IsSeen").await, "false");
}

#[tokio::test]
async fn payment_is_told_by_its_method() {
    let shop = Shop::open().await;
    let place = |method: &str, unpaid| {
        let draft = OrderDraft { payment_method: method.into(), unpaid, ..OrderDraft::example() };
        shop.market().buyer().place(draft).unwrap()
    };
    for (method, unpaid, expected) in [
        ("Credit Card", false, ["1", "1", "payment_a1", "1", "3"]),
        ("Convenience store", true, ["1", "0", "payment_a6", "0", "2"]),
        ("PayPay", false, ["0", "1", "payment_a17", "1", "3"]),
        ("Cash on delivery", false, ["0", "0", "payment_d1", "1", "2"]),
    ] {
        let answer =
            shop.info(place(method, unpaid), "PayType,PayStatus,PayMethod,ShipStatus,SettleStatus").await;
        let fields =
            ["PayType", "PayStatus", "PayMethod", "ShipStatus", "SettleStatus"].map(|name| answer.one(name));
        assert_eq!(fields, expected, "{method}");
    }
    let order = place("Convenience store", true);
    assert_eq!(shop.ship_as(order, "12").await.error(), pair(400, "od90137"));
    shop.sandbox.advance(TimeDelta::minutes(30));
    shop.market().buyer().pay(order).unwrap();
    assert_eq!(shop.value_of(order, "PayActionTime").await, "2026-11-24T12:30:00+09:00");
}

// orderCount, orderChangeHistory

#[tokio::test]
async fn counts_are_those_of_the_store() {
    let shop = Shop::open().await;
    let orders = [shop.place(), shop.place(), shop.place(), shop.place()];
    shop.see(orders[0]).await.warnings();
    shop.ship_as(orders[1], "12").await.warnings();
    shop.face.set_waiting(orders[2], Waiting::Reserved);
    let answer = shop.get("orderCount", &[("sellerId", DEFAULT_SELLER)]).await;
    for (name, count) in [
        ("NewOrder", "1"),
        ("NewReserve", "1"),
        ("WaitShipping", "2"),
        ("WaitDone", "1"),
        ("StoreStatus10", "0"),
    ] {
        assert_eq!(answer.one(name), count, "{name}");
    }
}

#[tokio::test]
async fn the_history_tells_what_was_done_by_whom() {
    let shop = Shop::open().await;
    let order = shop.place();
    shop.see(order).await.warnings();
    shop.sandbox.advance(TimeDelta::minutes(1));
    shop.ship_as(order, "12").await.warnings();
    let id = id_of(order);
    let answer = shop.get("orderChangeHistory", &[("sellerId", DEFAULT_SELLER), ("orderId", &id)]).await;
    assert_eq!(answer.all("Field"), ["IsSeen", "ShipStatus"]);
    assert_eq!(answer.all("HistoryId"), ["1", "2"]);
    let unknown = [("sellerId", DEFAULT_SELLER), ("orderId", "demo-seller-1")];
    assert_eq!(shop.get("orderChangeHistory", &unknown).await.error(), pair(404, "od91801"));
}

// orderChange

#[tokio::test]
async fn seen_is_a_confirmation_and_a_repeat_counts_once() {
    let shop = Shop::open().await;
    let order = shop.place();
    let answer = shop.see(order).await;
    assert_eq!((answer.attribute("ResultSet", "ok"), answer.warnings().len()), (vec!["1".into()], 0));
    assert_eq!(shop.value_of(order, "IsSeen").await, "true");
    shop.see(order).await.warnings();
    assert_eq!(shop.market().confirmations(shop.line(order)), 1);
    let tries = shop.market().record_of(shop.line(order));
    let confirms = tries.iter().filter(|event| matches!(event.action, Action::Confirmed { .. }));
    assert_eq!(confirms.count(), 2, "the record has the repeat");
}

#[tokio::test]
async fn an_unpaid_order_can_be_seen_and_seen_never_goes_back() {
    let shop = Shop::open().await;
    let order = shop.market().buyer().place(OrderDraft { unpaid: true, ..OrderDraft::example() }).unwrap();
    shop.see(order).await.warnings();
    assert_eq!(shop.value_of(order, "IsSeen").await, "true");
    let back = shop.change("orderChange", order, "", "<IsSeen>false</IsSeen>").await;
    assert_eq!(back.error(), pair(400, "od90101"));
    assert_eq!(shop.change("orderChange", order, "", "").await.error(), pair(400, "od90101"));
    assert_eq!(shop.see(OrderNumber(5)).await.error(), pair(404, "od91801"));
    shop.market().buyer().cancel(shop.line(order), "").unwrap();
    assert_eq!(shop.see(order).await.error(), pair(400, "od90137"));
    assert_eq!(shop.value_of(order, "CancelReason").await, "300");
}

#[tokio::test]
async fn refusals_can_come_as_status_ng() {
    let shop = Shop::open().await;
    shop.face.set_refused_as(RefusedAs::StatusNg);
    shop.face.set_read_only_minutes(10);
    let order = shop.place();
    for answer in [shop.see(order).await, shop.ship_as(order, "12").await, shop.cancel(order, "210").await] {
        assert_eq!((answer.status, answer.one("Status").as_str()), (200, "NG"));
        assert_eq!((answer.attribute("ResultSet", "ng"), answer.all("Code").len()), (vec!["1".into()], 0));
    }
    assert_eq!(shop.state(order), OrderState::Paid);
}

#[tokio::test]
async fn a_number_can_be_corrected() {
    let shop = Shop::open().await;
    let order = shop.place();
    shop.ship_as(order, "1234-5678-9012").await.warnings();
    let ship =
        "<Ship><ShipCompanyCode>1002</ShipCompanyCode><ShipInvoiceNumber1>55</ShipInvoiceNumber1></Ship>";
    shop.change("orderChange", order, "", ship).await.warnings();
    assert_eq!(shop.value_of(order, "ShipInvoiceNumber1").await, "55");
    assert_eq!(shop.market().order(order).unwrap().parcels[0].tracking, "55");
    assert_eq!(shop.market().dispatches(shop.line(order)), ["1234-5678-9012"]);
    let bad = "<Ship><ShipCompanyCode>7</ShipCompanyCode></Ship>";
    assert_eq!(shop.change("orderChange", order, "", bad).await.error(), pair(400, "od90101"));
}

// orderShipStatusChange

#[tokio::test]
async fn a_dispatch_ships_all_lines_once() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    let order = shop.place_listed(cap);
    assert_eq!(shop.ship_as(order, "1234-5678-9012").await.warnings().len(), 0);
    let answer =
        shop.info(order, "ShipStatus,ShipCompanyCode,ShipInvoiceNumber1,ShipDate,SettleStatus,IsSeen").await;
    let shown = ["ShipStatus", "ShipCompanyCode", "ShipInvoiceNumber1", "ShipDate", "SettleStatus", "IsSeen"];
    assert_eq!(
        shown.map(|name| answer.one(name)),
        ["3", "1001", "1234-5678-9012", "2026-11-24", "5", "true"]
    );
    for line in shop.market().lines_of(order) {
        assert_eq!(shop.market().dispatches(line), ["1234-5678-9012"]);
    }
    assert_eq!(shop.ship_as(order, "1234-5678-9012").await.error(), pair(400, "od90137"));
    assert_eq!(shop.market().dispatches(shop.line(order)).len(), 1);
    shop.face.set_repeated_dispatch(RepeatedDispatch::Taken);
    shop.ship_as(order, "1234-5678-9012").await.warnings();
    assert_eq!(shop.market().dispatches(shop.line(order)).len(), 2, "the record counts the repeat");
}

#[tokio::test]
async fn what_is_not_of_the_form_is_not_shipped() {
    let shop = Shop::open().await;
    let order = shop.place();
    let number = |company: &str, number: &str| {
        format!(
            "<ShipStatus>3</ShipStatus><ShipCompanyCode>{company}</ShipCompanyCode><ShipInvoiceNumber1>{number}</ShipInvoiceNumber1>"
        )
    };
    for ship in [
        "<ShipCompanyCode>1001</ShipCompanyCode>".into(),
        "<ShipStatus>5</ShipStatus>".into(),
        number("9999", "1"),
        number("1000", "あ"),
        number("1000", &"1".repeat(31)),
        number("1001", "12A"),
        number("1001", "123456789012345"),
        number("1003", "1234-5678-901"),
        number("1003", "1234567890"),
        format!("{}<ShipInvoiceNumberEmptyReason>101</ShipInvoiceNumberEmptyReason>", number("1000", "1")),
        "<ShipStatus>3</ShipStatus><ShipInvoiceNumberEmptyReason>106</ShipInvoiceNumberEmptyReason>".into(),
        "<ShipStatus>3</ShipStatus><ShipDate>2026-11-24</ShipDate>".into(),
        "<ShipStatus>3</ShipStatus><ShipMethod>postage15</ShipMethod>".into(),
        "<ShipStatus>3</ShipStatus><Tracking>1</Tracking>".into(),
    ] {
        let ship: String = ship;
        assert_eq!(shop.ship(order, &ship).await.error(), pair(400, "od90101"), "{ship}");
    }
    let ship = "<Ship><ShipStatus>3</ShipStatus></Ship>";
    for fix in ["", "<IsPointFix>false</IsPointFix>"] {
        let answer = shop.change("orderShipStatusChange", order, fix, ship).await;
        assert_eq!(answer.error(), pair(400, "od90101"));
    }
    assert_eq!(shop.state(order), OrderState::Paid);
}

#[tokio::test]
async fn a_reason_for_no_number_excludes_numbers_later_and_the_methods_carrier_wins() {
    let shop = Shop::open().await;
    let order = shop.place();
    let reason = "<ShipStatus>2</ShipStatus><ShipInvoiceNumberEmptyReason>105</ShipInvoiceNumberEmptyReason>";
    shop.ship(order, reason).await.warnings();
    assert_eq!(shop.value_of(order, "ShipStatus").await, "2");
    assert_eq!(shop.ship_as(order, "12").await.error(), pair(400, "od90101"));
    let other = shop.place();
    let ship = "<ShipStatus>3</ShipStatus><ShipMethod>postage2</ShipMethod><ShipCompanyCode>1001</ShipCompanyCode>\
                <ShipInvoiceNumber1>12</ShipInvoiceNumber1>";
    shop.ship(other, ship).await.warnings();
    assert_eq!(shop.value_of(other, "ShipCompanyCode").await, "1002");
}

#[tokio::test]
async fn an_ended_authorization_ships_without_money() {
    let shop = Shop::open().await;
    for (authorization, code) in
        [(CardAuthorization::Ended, "od91115"), (CardAuthorization::Taken, "od91113")]
    {
        let order = shop.place();
        shop.face.set_authorization(order, authorization);
        assert_eq!(shop.ship_as(order, "12").await.warnings(), [code]);
        assert_eq!(shop.state(order), OrderState::Shipped);
    }
}

#[tokio::test]
async fn waiting_and_cancelled_orders_are_not_shipped() {
    let shop = Shop::open().await;
    for waiting in [Waiting::Reserved, Waiting::Held] {
        let order = shop.place();
        shop.face.set_waiting(order, waiting);
        assert_eq!(shop.ship_as(order, "12").await.error(), pair(400, "od90137"));
        assert_eq!(shop.state(order), OrderState::Paid);
    }
    let order = shop.place();
    shop.cancel(order, "210").await.warnings();
    assert_eq!(shop.ship_as(order, "12").await.error(), pair(400, "od90137"));
    assert_eq!(shop.market().dispatches(shop.line(order)).len(), 0);
}

// orderStatusChange

#[tokio::test]
async fn a_cancellation_gives_stock_back_and_mails_the_buyer_once() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    let order = shop.place_listed(cap);
    assert_eq!(shop.market().quantity(cap, None), Some(58));
    shop.cancel(order, "210").await.warnings();
    assert_eq!(shop.market().quantity(cap, None), Some(60));
    let answer = shop.info(order, "OrderStatus,CancelReason,SettleStatus,Quantity").await;
    assert_eq!((answer.one("OrderStatus"), answer.one("CancelReason")), ("4".into(), "210".into()));
    assert_eq!(answer.all("Quantity"), ["2", "1"]);
    assert_eq!(shop.cancel(order, "210").await.warnings(), ["od91705"]);
    let order = shop.market().order(order).unwrap();
    assert_eq!(order.mails.len(), 1);
    let cancels = shop.market().record_of(order.lines[0].number);
    assert_eq!(cancels.iter().filter(|event| matches!(event.action, Action::Cancelled { .. })).count(), 1);
}

#[tokio::test]
async fn reasons_and_point_fix_are_checked() {
    let shop = Shop::open().await;
    let order = shop.place();
    for reason in ["300", "400", "0", "999"] {
        assert_eq!(shop.cancel(order, reason).await.error(), pair(400, "od90101"), "{reason}");
    }
    assert_eq!(shop.cancel(order, "230").await.error(), pair(400, "od90101"));
    let short = "<CancelReason>230</CancelReason><CancelReasonDetail>short</CancelReasonDetail>";
    assert_eq!(shop.set_status(order, 4, short).await.error(), pair(400, "od90101"));
    for (fix, status) in [("true", 4), ("false", 5), ("maybe", 4)] {
        let fix = format!("<IsPointFix>{fix}</IsPointFix>");
        let wanted = format!("<OrderStatus>{status}</OrderStatus>");
        let answer = shop.change("orderStatusChange", order, &fix, &wanted).await;
        assert_eq!(answer.error(), pair(400, "od90101"));
    }
    assert_eq!(shop.state(order), OrderState::Paid);
    let detail = "<CancelReason>230</CancelReason><CancelReasonDetail>入荷が遅れています。すみません</CancelReasonDetail>";
    shop.set_status(order, 4, detail).await.warnings();
    assert_eq!(shop.value_of(order, "CancelReasonDetail").await, "入荷が遅れています。すみません");
}

#[tokio::test]
async fn without_a_reason_it_is_out_of_stock() {
    let shop = Shop::open().await;
    let order = shop.place();
    shop.set_status(order, 4, "").await.warnings();
    assert_eq!(shop.value_of(order, "CancelReason").await, "210");
}

#[tokio::test]
async fn statuses_change_as_the_official_table_says() {
    let shop = Shop::open().await;
    let order = shop.place();
    assert_eq!(shop.set_status(order, 1, "").await.error(), pair(400, "od90137"));
    shop.set_status(order, 3, "").await.warnings();
    assert_eq!(shop.value_of(order, "OrderStatus").await, "3");
    assert_eq!(shop.set_status(order, 1, "").await.error(), pair(400, "od90137"));
    shop.face.set_field(order, "ReleaseDate", "2026-12-24");
    shop.set_status(order, 1, "").await.warnings();
    assert_eq!(shop.set_status(order, 2, "").await.error(), pair(400, "od90137"));
    shop.set_status(order, 5, "").await.warnings();
    assert_eq!(shop.ship_as(order, "12").await.error(), pair(400, "od90137"));
    shop.set_status(order, 2, "").await.warnings();
    shop.face.set_field(order, "Suspect", "1");
    assert_eq!(shop.set_status(order, 5, "").await.error(), pair(400, "od90137"));
    shop.cancel(order, "100").await.warnings();
    assert_eq!(shop.set_status(order, 2, "").await.error(), pair(400, "od90137"));
}

#[tokio::test]
async fn a_cancellation_can_be_done_later() {
    let shop = Shop::open().await;
    shop.face.set_cancel_seconds(60);
    let (order, shipped) = (shop.place(), shop.place());
    assert_eq!(shop.cancel(order, "100").await.warnings(), ["od91704"]);
    assert_eq!(shop.cancel(shipped, "100").await.warnings(), ["od91704"]);
    assert_eq!(shop.value_of(order, "OrderStatus").await, "2");
    shop.ship_as(shipped, "12").await.warnings();
    shop.sandbox.advance(TimeDelta::seconds(60));
    assert_eq!(shop.value_of(order, "OrderStatus").await, "4");
    assert_eq!(shop.value_of(order, "CancelReason").await, "100");
    assert_eq!(shop.value_of(shipped, "OrderStatus").await, "2");
}

#[tokio::test]
async fn warnings_tell_of_refunds_and_stock_that_did_not_come_back() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    shop.face.set_keep_cancelled_stock(true);
    let order = shop.place_listed(cap);
    let answer = shop.cancel(order, "220").await;
    assert_eq!((answer.warnings(), answer.one("Detail")), (vec!["od91130".into()], "1,2".into()));
    assert_eq!(shop.market().quantity(cap, None), Some(58));
    shop.face.set_keep_cancelled_stock(false);
    let draft = OrderDraft { payment_method: "Convenience store".into(), ..OrderDraft::example() };
    let order = shop.market().buyer().place(draft).unwrap();
    assert_eq!(shop.cancel(order, "220").await.warnings(), ["od91123"]);
}

#[tokio::test]
async fn a_return_shows_as_cancelled_with_its_reason() {
    let shop = Shop::open().await;
    let order = shop.place();
    shop.ship_as(order, "12").await.warnings();
    let line = shop.line(order);
    shop.market().marketplace().deliver(line).unwrap();
    assert_eq!(shop.value_of(order, "ShipStatus").await, "4");
    shop.market().buyer().claim(line, ClaimKind::Return, "").unwrap();
    shop.market().marketplace().move_claim(line, ClaimKind::Return, ClaimState::Done).unwrap();
    let answer = shop.info(order, "OrderStatus,CancelReason").await;
    assert_eq!((answer.one("OrderStatus"), answer.one("CancelReason")), ("4".into(), "110".into()));
}

// Splits

#[tokio::test]
async fn a_split_makes_two_orders_and_stops_the_first() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    let order = shop.place_listed(cap);
    shop.see(order).await.warnings();
    let [first, second] = shop.face.split(order, &[0]).unwrap();
    assert_eq!(shop.market().quantity(cap, None), Some(58), "stock stays as it was");
    let answer = shop.info(order, "IsSplit,ChildOrderId,OrderStatus").await;
    let shown = ["IsSplit", "ChildOrderId", "OrderStatus"].map(|name| answer.one(name));
    assert_eq!(shown, ["true".to_owned(), format!("{},{}", id_of(first), id_of(second)), "2".into()]);
    for (child, item) in [(first, "CAP-02"), (second, "GIFT")] {
        let answer = shop.info(child, "ParentOrderId,ItemId,IsSeen").await;
        assert_eq!((answer.one("ParentOrderId"), answer.one("ItemId")), (id_of(order), item.into()));
        assert_eq!(answer.one("IsSeen"), "true");
        shop.ship_as(child, "12").await.warnings();
    }
    for answer in [shop.see(order).await, shop.ship_as(order, "12").await, shop.cancel(order, "210").await] {
        assert_eq!(answer.error(), pair(400, "od90137"));
    }
}

#[tokio::test]
async fn the_split_call_takes_every_piece_once() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    let order = shop.place_listed(cap);
    let part = |id, line, pieces| {
        format!(
            "<Split><SplitId>{id}</SplitId><Item><LineId>{line}</LineId><Quantity>{pieces}</Quantity></Item></Split>"
        )
    };
    let wanted = format!("{}{}", part(1, 1, 1), part(2, 1, 1));
    assert_eq!(shop.change("orderSplit", order, "", &wanted).await.error(), pair(400, "od90101"));
    assert!(shop.market().order(order).unwrap().state() == OrderState::Paid);
    let wanted = format!("{}{}{}", part(1, 1, 1), part(2, 1, 1), part(2, 2, 1));
    let answer = shop.change("orderSplit", order, "", &wanted).await;
    assert_eq!(answer.all("SplitId"), ["1", "2"]);
    assert_eq!(answer.all("OrderId").len(), 2);
    assert_eq!(shop.market().quantity(cap, None), Some(58));
}

#[tokio::test]
async fn the_parts_of_a_split_cost_together_what_the_order_did() {
    let shop = Shop::open().await;
    let line = |price, quantity, discount| LineDraft {
        discount: Amount::whole(discount),
        ..LineDraft::unlisted("A", "A", Amount::whole(price), quantity)
    };
    let draft = OrderDraft {
        shipping_fee: Amount::whole(500),
        ..OrderDraft::of(vec![line(1000, 2, 200), line(300, 3, 100)])
    };
    let order = shop.market().buyer().place(draft).unwrap();
    let wanted = "<Split><SplitId>1</SplitId><Item><LineId>1</LineId><Quantity>1</Quantity></Item>\
                  <Item><LineId>2</LineId><Quantity>1</Quantity></Item></Split><Split><SplitId>2</SplitId>\
                  <Item><LineId>1</LineId><Quantity>1</Quantity></Item><Item><LineId>2</LineId><Quantity>2</Quantity></Item></Split>";
    let total: i64 = shop.value_of(order, "TotalPrice").await.parse().unwrap();
    let children = shop.change("orderSplit", order, "", wanted).await.all("OrderId");
    let mut sum = 0;
    for child in children {
        let number = child.rsplit('-').next().unwrap().parse().unwrap();
        sum += shop.value_of(number, "TotalPrice").await.parse::<i64>().unwrap();
    }
    assert_eq!((sum, total), (3100, 3100));
}

// Stock

#[tokio::test]
async fn stock_is_read_by_item_and_sub_code() {
    let shop = Shop::open().await;
    shop.list_cap();
    let draft = ItemDraft::simple("TEE", "T", Amount::whole(1000), 0).with_option(
        vec![Axis::new("色", "赤")],
        "TEE-R",
        7,
    );
    shop.market().list(draft).unwrap();
    let answer = shop.get_stock("CAP-02,TEE:TEE-R,TEE,nothing").await;
    assert_eq!(answer.all("Status"), ["1", "1", "0", "0"]);
    assert_eq!(answer.all("Quantity"), ["60", "7"]);
    assert_eq!(answer.all("AllowOverdraft"), ["0", "0"]);
    assert_eq!(
        (answer.attribute("ResultSet", "ok"), answer.attribute("ResultSet", "ng")),
        (vec!["2".into()], vec!["2".into()])
    );
    assert!(shop.face.set_stock_close(DEFAULT_SELLER, "CAP-02", "", true));
    assert_eq!(shop.get_stock("CAP-02").await.one("StockClose"), "1");
    assert_eq!(shop.get_stock("a b").await.error(), pair(400, "st-02101"));
    let many = vec!["a"; 1001].join(",");
    assert_eq!(shop.get_stock(&many).await.error(), pair(400, "st-02102"));
}

#[tokio::test]
async fn a_bare_number_replaces_and_a_sign_adds_each_time() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    for (sent, after) in [("10", "10"), ("10", "10"), ("+5", "15"), ("+5", "20"), ("-30", "0"), ("0", "0")] {
        let answer = shop.set_stock("CAP-02", sent).await;
        assert_eq!((answer.status, answer.one("Quantity").as_str()), (200, after), "{sent}");
    }
    assert_eq!(shop.market().quantities_set(cap, None), [10, 10, 15, 20, 0, 0], "the record has repeats");
}

#[tokio::test]
async fn an_empty_quantity_is_unlimited() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    shop.set_stock("CAP-02", "").await;
    assert_eq!(shop.get_stock("CAP-02").await.one("Quantity"), "");
    assert_eq!(shop.market().quantity(cap, None), Some(999_999_999));
    shop.set_stock("CAP-02", "3").await;
    assert_eq!(shop.get_stock("CAP-02").await.one("Quantity"), "3");
}

#[tokio::test]
async fn a_wrong_code_makes_a_new_record() {
    let shop = Shop::open().await;
    shop.list_cap();
    let answer = shop.set_stock("CAP-O2,CAP-02:x", "5,6").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.all("Quantity"), ["5", "6"]);
    assert_eq!(shop.get_stock("CAP-O2").await.one("Status"), "1");
    let made = [("CAP-02".to_owned(), "x".to_owned(), 6), ("CAP-O2".into(), String::new(), 5)];
    assert_eq!(shop.face.made_up_stock(), made);
}

#[tokio::test]
async fn overdraft_goes_to_the_default_when_it_is_left_out() {
    let shop = Shop::open().await;
    shop.list_cap();
    let base = [("seller_id", DEFAULT_SELLER), ("item_code", "CAP-02"), ("quantity", "5")];
    let overdraft = async || shop.get_stock("CAP-02").await.one("AllowOverdraft");
    let with = [base[0], base[1], base[2], ("allow_overdraft", "1")];
    shop.form("setStock", &with).await;
    assert_eq!(overdraft().await, "1");
    shop.form("setStock", &base).await;
    assert_eq!(overdraft().await, "0");
    shop.face.set_default_overdraft(true);
    shop.form("setStock", &base).await;
    assert_eq!(overdraft().await, "1");
    assert!(shop.face.set_stock_close(DEFAULT_SELLER, "CAP-02", "", true));
    shop.form("setStock", &base).await;
    assert_eq!(shop.get_stock("CAP-02").await.one("StockClose"), "1");
    shop.form("setStock", &[base[0], base[1], base[2], ("stock_close", "0")]).await;
    assert_eq!(shop.get_stock("CAP-02").await.one("StockClose"), "0");
}

#[tokio::test]
async fn some_bad_rows_are_207_in_both_ways() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    for (way, after) in [(PartialStock::Kept, 11), (PartialStock::Undone, 60)] {
        shop.market().back_office().set_quantity(cap, None, 60).unwrap();
        shop.face.set_partial_stock(way);
        let answer = shop.set_stock("CAP-02,b,あ", "11,x,y").await;
        assert_eq!(answer.status, 207);
        assert_eq!(answer.all("Quantity"), ["11", "", ""]);
        assert_eq!(answer.all("ErrorCode"), ["st-02104", "st-02101,st-02104"]);
        assert_eq!(shop.market().quantity(cap, None), Some(after), "{way:?}");
    }
    assert!(shop.face.made_up_stock().is_empty());
    shop.face.set_unreadable_rows(1);
    let answer = shop.set_stock("CAP-02", "9").await;
    assert_eq!((answer.status, answer.one("ErrorCode").as_str()), (207, "ed-10002"));
    assert_eq!(shop.market().quantity(cap, None), Some(9));
}

#[tokio::test]
async fn bad_stock_calls_are_refused_whole() {
    let shop = Shop::open().await;
    let cap = shop.list_cap();
    for (codes, quantities, code) in [
        ("CAP-02,b", "1", "st-02105"),
        ("CAP-02", "1.5", "st-02104"),
        ("CAP-02,CAP-02", "1,2", "st-02103"),
        ("あ", "1", "st-02101"),
        ("CAP-02", "1000000000", "st-02104"),
    ] {
        assert_eq!(shop.set_stock(codes, quantities).await.error(), pair(400, code), "{codes}");
    }
    let base = [("seller_id", DEFAULT_SELLER), ("item_code", "CAP-02"), ("quantity", "1")];
    assert_eq!(shop.form("setStock", &base[..2]).await.error(), pair(400, "st-02104"));
    let answer = shop.form("setStock", &[base[0], base[1], base[2], ("allow_overdraft", "1,0")]).await;
    assert_eq!(answer.error(), pair(400, "st-02107"));
    let answer = shop.form("setStock", &[base[0], base[1], base[2], ("allow_overdraft", "2")]).await;
    assert_eq!(answer.error(), pair(400, "st-02106"));
    assert_eq!(shop.market().quantities_set(cap, None), Vec::<i64>::new());
}

// Listings

#[tokio::test]
async fn items_are_found_by_walking_the_categories() {
    let shop = Shop::open().await;
    for at in 0..9 {
        shop.market().list(ItemDraft::simple(&format!("I-{at}"), "x", Amount::whole(100), at)).unwrap();
    }
    let mut keys: Vec<String> =
        shop.get("stCategoryList", &[("seller_id", DEFAULT_SELLER)]).await.all("PageKey");
    assert_eq!(keys.len(), 2);
    let below = shop.get("stCategoryList", &[("seller_id", DEFAULT_SELLER), ("page_key", &keys[0])]).await;
    keys.extend(below.all("PageKey"));
    let mut found = Vec::new();
    for key in &keys {
        let mut start = 1;
        loop {
            let text = start.to_string();
            let query = [
                ("seller_id", DEFAULT_SELLER),
                ("stcat_key", key),
                ("stock", "true"),
                ("start", &text),
                ("results", "2"),
                ("sort", "+item_code"),
            ];
            let answer = shop.get("myItemList", &query).await;
            let rows = answer.all("ItemCode");
            start += rows.len();
            found.extend(rows);
            let total =
                answer.attribute("ResultSet", "totalResultsAvailable").concat().parse::<usize>().unwrap();
            if start > total {
                break;
            }
        }
    }
    assert_eq!(found.len(), 11, "two stand in two categories: {found:?}");
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 9);
}

#[tokio::test]
async fn bad_item_lists_are_refused() {
    let shop = Shop::open().await;
    let list = async |more: &[(&str, &str)]| {
        let query: Vec<_> = [("seller_id", DEFAULT_SELLER)].iter().chain(more).copied().collect();
        shop.get("myItemList", &query).await.status
    };
    assert_eq!(list(&[("query", "I")]).await, 200);
    for more in [
        &[][..],
        &[("stcat_key", "nothing")],
        &[("query", "I"), ("results", "101")],
        &[("query", "I"), ("start", "0")],
        &[("query", "I"), ("sort", "+sort_order")],
        &[("query", "I"), ("type", "code")],
    ] {
        assert_eq!(list(more).await, 400, "{more:?}");
    }
}

#[tokio::test]
async fn an_item_has_its_options_as_attributes() {
    let shop = Shop::open().await;
    let mut draft = ItemDraft::simple("TEE", "T & <b>", Amount::whole(1000), 0)
        .with_option(vec![Axis::new("色", "赤"), Axis::new("サイズ", "M")], "TEE-R", 7)
        .with_option(vec![Axis::new("色", "青\"")], "TEE-B", 0);
    draft.options[1].surcharge = Amount::whole(200);
    shop.market().list(draft).unwrap();
    let query = [("seller_id", DEFAULT_SELLER), ("query", "TE"), ("stock", "true")];
    let row = shop.get("myItemList", &query).await;
    assert_eq!(
        (row.one("HasSubCode"), row.one("Quantity"), row.one("StockClose")),
        ("1".into(), String::new(), String::new())
    );
    let item = shop.get("getItem", &[("seller_id", DEFAULT_SELLER), ("item_code", "TEE")]).await;
    assert_eq!(item.one("Name"), "T & <b>");
    assert_eq!(item.attribute("SubCode", "code"), ["TEE-R", "TEE-B"]);
    assert_eq!(item.attribute("SubCode", "quantity"), ["7", "0"]);
    assert_eq!(item.attribute("Option", "value"), ["赤", "M", "青\""]);
    assert_eq!(item.all("Price"), ["1000", "", "1200"]);
    shop.set_stock("TEE:TEE-R", "").await;
    let item = shop.get("getItem", &[("seller_id", DEFAULT_SELLER), ("item_code", "TEE")]).await;
    assert_eq!(item.attribute("SubCode", "quantity"), ["", "0"]);
    let none = shop.get("getItem", &[("seller_id", DEFAULT_SELLER), ("item_code", "none")]).await;
    assert_eq!((none.status, none.attribute("ResultSet", "totalResultsReturned")), (200, vec!["0".into()]));
}

// The control port

#[tokio::test]
async fn the_switches_work_over_http() {
    let shop = Shop::open().await;
    let control = format!("{}/faces/yahoo_shopping/control", shop.sandbox.control_url());
    let put = async |path: String, body: Value| {
        shop.client.put(format!("{control}{path}")).json(&body).send().await.unwrap().status().as_u16()
    };
    let body = serde_json::json!({ "read_only_minutes": 10, "repeated_dispatch": "taken" });
    assert_eq!(put("/settings".into(), body).await, 200);
    assert_eq!(put("/settings".into(), serde_json::json!({ "no_such": 1 })).await, 422);
    let order = shop.place();
    assert_eq!(shop.ids("").await.len(), 0);
    let body = serde_json::json!({ "fraud": "checking", "fields": { "ShipInstructType": "101" } });
    assert_eq!(put(format!("/orders/{order}"), body).await, 200);
    let answer = shop.info(order, "FraudHoldStatus,ShipInstructType").await;
    assert_eq!((answer.one("FraudHoldStatus"), answer.one("ShipInstructType")), ("1".into(), "101".into()));
    let answer: Value = shop
        .client
        .post(format!("{control}/keys"))
        .json(&serde_json::json!({}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["public_key_version"], "2");
    assert!(answer["public_key"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\n"));
}
