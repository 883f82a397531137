use super::*;

#[test]
fn one_object_is_read_with_its_values_by_kind() {
    let line =
        r#" {"a": 1, "b": -1, "c": 1.5, "d": 1e2, "e": 18446744073709551616, "f": "x", "g": "\n", "h": [true, null, {}]} "#;
    let object = parse_object(line.as_bytes()).expect("an object");
    let expected = [
        ("a", Value::Unsigned(1)),
        ("b", Value::Negative(-1)),
        ("c", Value::Float(1.5)),
        ("d", Value::Float(100.0)),
        ("e", Value::Float(18_446_744_073_709_551_616.0)),
        ("f", Value::Text(Cow::Borrowed("x"))),
        ("g", Value::Text(Cow::Owned("\n".to_owned()))),
        ("h", Value::List(vec![Value::Bool(true), Value::Null, Value::Object(Object::new())])),
    ];
    assert_eq!(object.len(), expected.len());
    for (key, value) in expected {
        assert_eq!(object.get(key), Some(&value), "{key}");
    }
    assert!(matches!(object.get("f"), Some(Value::Text(Cow::Borrowed("x")))));
}

#[test]
fn everything_else_is_invalid() {
    let check = |line: &[u8], detail: &str| {
        assert_eq!(
            parse_object(line),
            Err(LineError::new(RejectReason::InvalidJson, detail)),
            "{}",
            String::from_utf8_lossy(line)
        );
    };
    check(b"", "EOF while parsing a value at column 0");
    check(b"\"a\"", "expected an object, found \"a\"");
    check(b"[]", "expected an object, found an empty list");
    check(b"{\n\"a\" 1}", "expected `:` at line 2 column 5");
    check(b"{} x", "trailing characters at column 4");
    check(b"{\"a\":1,\"a\":1}", "the key \"a\" comes twice at column 13");
    check(b"{\"a\":1,\"\\u0061\":1}", "the key \"a\" comes twice at column 18");
    check(b"{\"x\":[{\"a\":1,\"a\":1}]}", "the key \"a\" comes twice at column 19");
    check(b"{\"a\":\"\xff\"}", "not UTF-8 from byte 7 on");
    check(b"\xef\xbb\xbf{}", "expected value at column 1");
    check(b"{\"a\":1e400}", "number out of range at column 10");
    check(b"{\"a\":\"\\ud800\"}", "unexpected end of hex escape at column 13");
    check(format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)).as_bytes(), "recursion limit exceeded at column 132");
}

#[test]
fn values_are_shown_short() {
    let check = |value: Value<'_>, expected: &str| assert_eq!(value.to_string(), expected);
    check(Value::Text(Cow::Owned("é".repeat(64))), &format!("\"{}\"", "é".repeat(64)));
    check(Value::Text(Cow::Owned("é".repeat(65))), &format!("\"{}…\"", "é".repeat(64)));
    check(Value::Text(Cow::Borrowed("a\"\n")), r#""a\"\n""#);
    check(Value::Float(1e300), "1e300");
    check(Value::List(vec![Value::Null]), "a list");
}
