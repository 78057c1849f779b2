use std::process::Stdio;

use reqwest::Client;
use sales_channels_sandbox::faces::qoo10::KEY;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::BASE;

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[tokio::test]
async fn the_program_prints_where_it_is_serves_and_ends_with_its_input() {
    let mut child = program(&["--face", "qoo10", "--seed-orders", "3"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let start: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let face = &start["faces"]["qoo10"];
    assert_eq!(face["credentials"]["certification_key"], KEY);
    let url = format!("{}{BASE}/ItemsLookup.GetAllGoodsInfo", face["base_url"].as_str().unwrap());
    let form = [("returnType", "json"), ("ItemStatus", "S2"), ("Page", "1")];
    let request = Client::new()
        .post(url)
        .header("GiosisCertificationKey", KEY)
        .header("QAPIVersion", "1.0")
        .form(&form);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["ResultObject"]["TotalItems"], 6);
    let orders =
        Client::new().get(format!("{}/orders", start["control"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(orders.json::<Value>().await.unwrap().as_array().unwrap().len(), 3);

    drop(child.stdin.take());
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test]
async fn the_program_refuses_what_it_does_not_know() {
    for (args, text) in
        [(["--face", "nowhere"], "no face is called nowhere"), (["--prot", "1"], "unknown argument --prot")]
    {
        let output = program(&args).output().await.unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(text), "{args:?}");
    }
}
