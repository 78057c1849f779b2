use sales_channels_sandbox::RateLimit;
use sales_channels_sandbox::faces::qoo10::{
    API_KEY, EXPIRED_KEY, KEY, KeyState, PASSWORD, Qoo10, READ_ONLY_KEY, USER_ID, Wording,
};
use serde_json::{Value, json};

use crate::support::{BASE, Shop, at, json as json_of};

const ALL_GOODS: &str = "ItemsLookup.GetAllGoodsInfo";
const S2: &[(&str, &str)] = &[("ItemStatus", "S2"), ("Page", "1")];

#[tokio::test]
async fn both_calling_forms_reach_the_method() {
    let shop = Shop::open().await;
    let send = |path: String, form: Vec<(&'static str, &'static str)>| {
        let request = shop.client.post(shop.url(&path)).header("GiosisCertificationKey", KEY);
        let request = request.header("QAPIVersion", "1.0").form(&form);
        async { json_of(request.send().await.unwrap()).await }
    };
    let params = vec![("returnType", "json"), ("ItemStatus", "S2"), ("Page", "1")];
    let with_method = [params.clone(), vec![("method", ALL_GOODS)]].concat();
    let answers = [
        send(format!("{BASE}/{ALL_GOODS}"), params.clone()).await,
        send(format!("{BASE}?method={ALL_GOODS}"), params).await,
        send(BASE.to_owned(), with_method).await,
    ];
    for answer in answers {
        assert_eq!(answer["ResultObject"]["PresentPage"], 1, "{answer}");
    }
    assert_eq!(shop.sandbox.received("qoo10", ALL_GOODS).unwrap(), 3);
}

#[tokio::test]
async fn keys_are_answered_with_their_codes() {
    let shop = Shop::open().await;
    shop.qoo10.set_key("five", KeyState::Answers { code: -90005 });
    shop.qoo10.set_key("three", KeyState::Answers { code: -90003 });
    shop.qoo10.set_key("gone", KeyState::Deleted);
    let without = KeyState::Without { methods: vec![ALL_GOODS.to_owned()] };
    shop.qoo10.set_key("without", without);
    for (key, code) in [
        (KEY, 0),
        (READ_ONLY_KEY, 0),
        ("", -10000),
        ("nonsense", -10000),
        ("gone", -10000),
        (EXPIRED_KEY, -90004),
        ("five", -90005),
        ("without", -90002),
        ("three", -90003),
    ] {
        let answer = json_of(shop.request_as(key, ALL_GOODS, S2).send().await.unwrap()).await;
        assert_eq!(answer["ResultCode"], code, "{key}: {answer}");
        assert_eq!(answer.get("ResultObject").is_some(), code == 0, "{key}: {answer}");
    }
    let expired = json_of(shop.request_as(EXPIRED_KEY, ALL_GOODS, S2).send().await.unwrap()).await;
    let sample: Value =
        serde_json::from_str(include_str!("../samples/qoo10/error_key_expired.response.json")).unwrap();
    assert_eq!(expired, sample);
}

#[tokio::test]
async fn a_call_without_the_key_header_is_refused() {
    let shop = Shop::open().await;
    let request =
        shop.client.post(shop.url(&format!("{BASE}/{ALL_GOODS}?key={KEY}"))).header("QAPIVersion", "1.0");
    let answer = json_of(request.form(&[("returnType", "json")]).send().await.unwrap()).await;
    assert_eq!(answer["ResultCode"], -10000);
}

#[tokio::test]
async fn a_read_only_key_can_not_change_anything() {
    let shop = Shop::open().await;
    let line = shop.place(1)[0];
    let params = [("OrderNo", &*line.to_string()), ("EstShipDt", "20261125")];
    let request = shop.request_as(READ_ONLY_KEY, "ShippingBasic.SetSellerCheckYN_V2", &params);
    assert_eq!(json_of(request.send().await.unwrap()).await["ResultCode"], -90002);
    assert_eq!(shop.market().confirmations(line), 0);
}

#[tokio::test]
async fn unknown_methods_and_versions_get_the_framework_shape() {
    let shop = Shop::open().await;
    let shape = json!({ "ErrorCode": -90001, "ErrorMsg": "The API does not exist" });
    assert_eq!(shop.call("ItemsLookup.GetEverything", &[]).await, shape);
    let request =
        shop.client.post(shop.url(&format!("{BASE}/{ALL_GOODS}"))).header("GiosisCertificationKey", KEY);
    for request in [request.try_clone().unwrap(), request.try_clone().unwrap().header("QAPIVersion", "2.0")] {
        assert_eq!(json_of(request.form(S2).send().await.unwrap()).await, shape);
    }
}

#[tokio::test]
async fn what_is_not_the_api_is_html_or_405() {
    let shop = Shop::open().await;
    let other = shop.client.post(shop.url("/login")).send().await.unwrap();
    assert_eq!(other.status(), 404);
    assert!(other.text().await.unwrap().starts_with("<html>"));
    let get = shop.client.get(shop.url(&format!("{BASE}/{ALL_GOODS}"))).send().await.unwrap();
    assert_eq!(get.status(), 405);
    assert_eq!(shop.sandbox.received("qoo10", "unknown").unwrap(), 1);
}

#[tokio::test]
async fn without_a_json_return_type_the_answer_is_xml() {
    let shop = Shop::open().await;
    let request = shop.client.post(shop.url(&format!("{BASE}/{ALL_GOODS}"))).header("QAPIVersion", "1.0");
    let response = request.header("GiosisCertificationKey", KEY).form(S2).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
    assert!(response.text().await.unwrap().contains("<ResultCode>0</ResultCode>"));
}

#[tokio::test]
async fn a_made_certification_key_works() {
    let shop = Shop::open().await;
    let method = "CertificationAPI.CreateCertificationKey";
    let made = async |key, user, password| {
        let request = shop.request_as(key, method, &[("user_id", user), ("pwd", password)]);
        json_of(request.send().await.unwrap()).await
    };
    assert_eq!(made(KEY, USER_ID, PASSWORD).await["ResultCode"], -10000);
    assert_eq!(made(API_KEY, USER_ID, "wrong").await["ResultCode"], -10001);
    let answer = made(API_KEY, USER_ID, PASSWORD).await;
    let key = answer["ResultObject"].as_str().unwrap();
    let answer = json_of(shop.request_as(key, ALL_GOODS, S2).send().await.unwrap()).await;
    assert_eq!(answer["ResultCode"], 0);
}

#[tokio::test]
async fn varied_wording_sends_codes_as_numbers_and_as_texts() {
    let shop = Shop::open_with(Qoo10::new()).await;
    let first = shop.call(ALL_GOODS, S2).await;
    let second = shop.call(ALL_GOODS, S2).await;
    assert_eq!(first["ResultCode"], 0);
    assert_eq!(second["ResultCode"], "0");
}

#[tokio::test]
async fn varied_wording_sends_no_rows_in_three_ways_and_one_row_in_two() {
    let shop = Shop::open_with(Qoo10::new().wording(Wording::Varied)).await;
    let window = [("SearchStartDate", "20261124"), ("SearchEndDate", "20261124"), ("SearchCondition", "2")];
    let search = async || shop.call("ShippingBasic.GetShippingInfo_v3", &window).await;
    assert_eq!(search().await["ResultObject"], json!([]));
    let null = search().await;
    assert!(
        null.as_object().unwrap().contains_key("ResultObject") && null["ResultObject"].is_null(),
        "{null}"
    );
    assert!(!search().await.as_object().unwrap().contains_key("ResultObject"));
    shop.place(1);
    assert!(search().await["ResultObject"].is_object());
    assert!(search().await["ResultObject"].is_array());
}

#[tokio::test]
async fn the_rate_limit_is_off_until_it_is_switched_on_and_follows_the_clock() {
    let shop = Shop::open_with(Qoo10::new().limited_to(RateLimit { requests: 2, seconds: 10 })).await;
    let status = async || shop.request(ALL_GOODS, S2).send().await.unwrap().status().as_u16();
    assert_eq!([status().await, status().await, status().await], [200, 200, 429]);
    shop.sandbox.set_now(at("2026-11-24T12:00:10+09:00"));
    assert_eq!(status().await, 200);
    let count = shop.sandbox.counts("qoo10").unwrap()[ALL_GOODS];
    assert_eq!((count.received, count.handled), (4, 3));
}

#[tokio::test]
async fn the_last_requests_can_be_read_back() {
    let shop = Shop::open().await;
    shop.call(ALL_GOODS, S2).await;
    let requests = shop.sandbox.requests("qoo10").unwrap();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(request.operation, ALL_GOODS);
    assert_eq!(request.header("giosiscertificationkey"), Some(KEY));
    assert_eq!(request.target, format!("{BASE}/{ALL_GOODS}"));
    assert!(request.body.contains("ItemStatus=S2"));
    shop.sandbox.reset_traffic("qoo10").unwrap();
    assert_eq!(shop.sandbox.received("qoo10", ALL_GOODS).unwrap(), 0);
}
