//! Headers and calls, without the compiler.

use quote::quote;

use super::header::{self, Tensor};
use super::json::{self, Json};

/// A file with this header and so many bytes behind it.
fn file(header: &str, elements: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + elements, 0);
    bytes
}

#[test]
fn tensors_are_in_the_order_of_their_elements() {
    let header = r#"{"__metadata__":{"made by":"h\u00e4nd"},
        "b": {"dtype":"F64","shape":[],"data_offsets":[24,32]}, "a":{"shape":[2,3],"dtype":"F32","data_offsets":[0,24]} }  "#;
    let first = 8 + header.len();
    let tensors = header::read(&file(header, 32)).unwrap();
    let wanted =
        [("a", "F32", vec![2, 3], 0, 24), ("b", "F64", vec![], 24, 32)].map(|(name, dtype, shape, start, end)| {
            Tensor { name: name.into(), dtype: dtype.into(), shape, start: first + start, end: first + end }
        });
    assert_eq!(tensors, wanted);
    assert!(header::read(&file("{}", 0)).unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_told() {
    let of = |header: &str, elements| header::read(&file(header, elements)).unwrap_err();
    assert_eq!(header::read(&[1, 2, 3]).unwrap_err(), "it ends before the header");
    let ends = "it ends within the header, or is no safetensors file";
    assert_eq!(header::read(&[255; 20]).unwrap_err(), ends);
    assert_eq!(of("[]", 0), "its header is no JSON object");
    assert_eq!(of("{", 0), "its header is no JSON: `\"` expected at byte 1");
    let one = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let all = "the tensors' bytes are more or fewer than its header says: it was cut off or something was appended";
    assert_eq!(of(one, 7), all);
    assert_eq!(of(one, 9), all);
    assert_eq!(of(&one.replace("[2]", "[3]"), 8), "tensor `w` has 8 bytes, not those of F32 [3]");
    assert_eq!(
        of(&one.replace("[2]", "[4294967296,4294967296]"), 8),
        "tensor `w` has 8 bytes, not those of F32 [4294967296, 4294967296]"
    );
    assert_eq!(
        of(&one.replace("[0,8]", "[1,9]"), 9),
        "the elements of tensor `w` do not begin where those before it end"
    );
    let fields = "the header's entry of `w` has not the fields `dtype`, `shape` and `data_offsets` as it must";
    for (found, instead) in
        [("[2]", "2"), ("[2]", "[-2]"), ("[2]", "[2.5]"), ("[0,8]", "[0]"), ("\"F32\"", "32"), ("dtype", "type")]
    {
        assert_eq!(of(&one.replace(found, instead), 8), fields);
    }
    let twice = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    assert_eq!(of(twice, 8), "it has two tensors `w`");
}

/// Nothing that can be in a file is a panic.
#[test]
fn damaged_files_are_refused() {
    let header =
        r#"{"__metadata__":{"a\n\ud83d\ude00":"\u00e4"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let whole = file(header, 8);
    assert!(header::read(&whole).is_ok());
    for length in 0..whole.len() {
        assert!(header::read(&whole[..length]).is_err(), "cut off at {length}");
    }
    for at in 0..whole.len() - 8 {
        for byte in [0, b'"', b'[', b'9', 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            // Some names and notes may be others, and the file still whole.
            let _ = header::read(&bytes);
        }
    }
}

#[test]
fn json_has_its_limits() {
    assert_eq!(json::parse(" [ 1 , -2, 2.5e3, true, null, \"\\u0041\\ud83d\\ude00\\\\\" ] ").unwrap(), {
        use Json::{Array, Number, Other, String};
        Array(vec![Number(1), Other, Other, Other, Other, String("A😀\\".into())])
    });
    for text in
        ["", "[", "[1,]", "{\"a\"}", "\"\\ud83d\"", "\"\\x\"", "\"\\u00g0\"", "nul", "1 2", &"[".repeat(100_000)]
    {
        assert!(json::parse(text).is_err(), "{text:.20}");
    }
}

#[test]
fn calls_that_are_none_are_told() {
    let told = |tokens| super::expansion(tokens).to_string();
    assert!(told(quote!(Net)).contains("expected `,`"));
    assert!(told(quote!(Net, "no.safetensors", 3)).contains("nothing more"));
    assert!(told(quote!(Net, PATH)).contains("the path is a literal"));
    assert!(told(quote!(Net, concat!(env!("TENONET_IS_NOT_SET"), "/x"))).contains("`TENONET_IS_NOT_SET` is not set"));
    assert!(told(quote!(Net, "no.safetensors")).contains("no.safetensors: cannot read it"));
    assert!(told(quote!(Net, "Cargo.toml")).contains("Cargo.toml: not a whole safetensors file"));
}

#[test]
fn paths_begin_at_the_crate() {
    let weights = "../tests/pytorch/lenet_weights.safetensors";
    let literal = super::expansion(quote!(net::LeNet<f32>, #weights)).to_string().replace(' ', "");
    assert!(literal.contains("constNETWORK:net::LeNet<f32>=::tenonet::__private::embed("));
    let path =
        format!("::core::include_bytes!(::core::concat!(::core::env!(\"CARGO_MANIFEST_DIR\"),\"/\",\"{weights}\"))");
    assert!(literal.contains(&path), "{literal}");
    assert!(literal.contains("name:\"conv1.weight\",dtype:\"F32\",shape:&[6usize,1usize,5usize,5usize],"), "{literal}");
    let absolute = super::expansion(quote!(LeNet, concat!(env!("CARGO_MANIFEST_DIR"), "/", #weights,)));
    let path = format!("::core::include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"),\"/\",\"{weights}\",))");
    assert!(absolute.to_string().replace(' ', "").contains(&path), "{absolute}");
}
