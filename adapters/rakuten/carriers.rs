//! Carriers: the names that people use, and Rakuten's codes (sheet 4.5).

/// The code for a carrier that Rakuten has none for.
pub(super) const OTHER: &str = "1000";

/// Code, Rakuten's own name, other usual names in lower case.
const CARRIERS: &[(&str, &str, &[&str])] = &[
    (OTHER, "その他", &["other"]),
    ("1001", "ヤマト運輸", &["yamato", "yamato transport", "kuroneko yamato", "クロネコヤマト", "ヤマト"]),
    ("1002", "佐川急便", &["sagawa", "sagawa express", "佐川"]),
    ("1003", "日本郵便", &["japan post", "jp post", "yu-pack", "yupack", "ゆうパック", "郵便局"]),
    ("1004", "西濃運輸", &["seino", "seino transportation"]),
    ("1005", "セイノースーパーエクスプレス", &["seino super express"]),
    ("1006", "福山通運", &["fukuyama", "fukuyama transporting"]),
    ("1007", "名鉄運輸", &["meitetsu", "meitetsu transport"]),
    ("1008", "トナミ運輸", &["tonami", "tonami transportation"]),
    ("1009", "第一貨物", &["daiichi kamotsu", "daiichi freight system"]),
    ("1010", "新潟運輸", &["niigata", "niigata unyu"]),
    ("1011", "中越運送", &["chuetsu", "chuetsu transport"]),
    ("1012", "岡山県貨物運送", &["okayama-ken", "okayamaken freight"]),
    ("1013", "久留米運送", &["kurume", "kurume-trans"]),
    ("1014", "山陽自動車運送", &["san'yo", "sanyo jidosha unso"]),
    ("1015", "NXトランスポート", &["nx transport"]),
    ("1016", "エコ配", &["eco-hai", "ecohai"]),
    ("1017", "EMS", &["ems"]),
    ("1018", "DHL", &["dhl"]),
    ("1019", "FedEx", &["fedex"]),
    ("1020", "UPS", &["ups"]),
    ("1021", "日本通運", &["nippon express", "nittsu"]),
    ("1022", "TNT", &["tnt"]),
    ("1023", "OCS", &["ocs"]),
    ("1024", "USPS", &["usps"]),
    ("1025", "SFエクスプレス", &["sf express", "順豊エクスプレス"]),
    ("1026", "Aramex", &["aramex"]),
    ("1027", "SGHグローバル・ジャパン", &["sgh global", "sgh global japan"]),
    ("1028", "Rakuten EXPRESS", &["rakuten express"]),
];

/// The code of a carrier by its usual name, its name at Rakuten, or the code itself; `None`: Rakuten has none for it.
pub(super) fn code(carrier: &str) -> Option<&'static str> {
    let wanted = carrier.trim().to_lowercase();
    let found = CARRIERS.iter().find(|(code, name, others)| {
        *code == wanted || name.to_lowercase() == wanted || others.contains(&wanted.as_str())
    });
    found.map(|(code, ..)| *code)
}

/// Rakuten's name of a code.
pub(super) fn name(code: &str) -> Option<&'static str> {
    CARRIERS.iter().find(|(known, ..)| *known == code.trim()).map(|(_, name, _)| *name)
}
