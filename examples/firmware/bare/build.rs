//! The functions are the image's roots: what they do not reach is not in it.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let export = match std::env::var("CARGO_CFG_TARGET_FAMILY").as_deref() {
        Ok("wasm") => "--export",
        _ => "--undefined",
    };
    let mut roots = vec!["lenet_infer"];
    if std::env::var_os("CARGO_FEATURE_LEARNING").is_some() {
        roots.extend(["lenet_learn_sgd", "lenet_learn_adam", "layers_infer", "layers_learn"]);
    }
    for root in roots {
        println!("cargo::rustc-link-arg={export}={root}");
    }
}
