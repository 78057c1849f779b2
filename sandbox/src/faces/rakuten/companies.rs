//! Carriers by code (sheet 4.5; the last three are in a newer transcription only).

const NAMES: [&str; 32] = [
    "その他",
    "ヤマト運輸",
    "佐川急便",
    "日本郵便",
    "西濃運輸",
    "セイノースーパーエクスプレス",
    "福山通運",
    "名鉄運輸",
    "トナミ運輸",
    "第一貨物",
    "新潟運輸",
    "中越運送",
    "岡山県貨物運送",
    "久留米運送",
    "山陽自動車運送",
    "NXトランスポート",
    "エコ配",
    "EMS",
    "DHL",
    "FedEx",
    "UPS",
    "日本通運",
    "TNT",
    "OCS",
    "USPS",
    "SFエクスプレス",
    "Aramex",
    "SGHグローバル・ジャパン",
    "Rakuten EXPRESS",
    "日本郵便 楽天倉庫出荷",
    "ヤマト運輸 クロネコゆうパケット",
    "名鉄NX運輸",
];

/// The name of a carrier; none when the code is not one.
pub(super) fn name_of(code: &str) -> Option<&'static str> {
    let digits = code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit());
    let at = code.parse::<usize>().ok().filter(|_| digits)?.checked_sub(1000)?;
    NAMES.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_1000_to_1031() {
        assert_eq!(name_of("1000"), Some("その他"));
        assert_eq!(name_of("1001"), Some("ヤマト運輸"));
        assert_eq!(name_of("1028"), Some("Rakuten EXPRESS"));
        for code in ["1032", "999", "佐川急便", "", "+100", "01001"] {
            assert_eq!(name_of(code), None, "{code}");
        }
    }
}
