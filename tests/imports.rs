//! The modules of the crate import one way. Each stands on those before it in [`ORDER`], and on nothing behind it.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules that may import each other stand together; each group imports from its own and from those before.
///
/// `scalar` and `kernels` are one: an element type chooses the instructions that its kernels run with.
const ORDER: &[&[&str]] = &[
    &["shape"],
    &["plain", "aligned", "portable", "order", "atomic"],
    &["scalar", "kernels"],
    &["tensor"],
    &["info"],
    &["names"],
    &["init"],
    &["layers"],
    &["loss", "optim", "schedule", "augment", "fold", "signal"],
    &["weights"],
    &["network"],
    &["embed"],
    &["train"],
    &["data", "plot", "zoo"],
    &["guide"],
];

/// Names that `lib.rs` re-exports, and where they come from.
const ROOT_NAMES: &[(&str, &str)] = &[
    ("Scalar", "scalar"),
    ("Tensor", "tensor"),
    ("FeatureMap", "tensor"),
    ("Plain", "plain"),
    ("Masks", "kernels"),
    ("LayerInfo", "info"),
    ("TensorInfo", "info"),
    ("Role", "info"),
    ("Names", "names"),
    ("Network", "network"),
    ("Scratch", "network"),
    ("Workspace", "network"),
    ("WorkspaceParts", "network"),
    ("BatchWorkspace", "network"),
    ("Summary", "network"),
];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&module))
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Tests may use whatever they test with.
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name == "tests" || name == "fixture" {
            continue;
        }
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules that a line of code names by `crate::`.
fn imports(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>(),
            None => vec![rest],
        })
        .map(|path| path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .map(|name| ROOT_NAMES.iter().find(|(root, _)| *root == name).map_or(name, |(_, from)| from.to_string()))
        .collect()
}

#[test]
fn modules_import_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "found only {} sources", files.len());
    let (mut faults, mut seen) = (Vec::new(), 0);
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        // The root names everything: it is the map.
        if module == "lib" || module == "private" {
            continue;
        }
        let own = rank(module).unwrap_or_else(|| panic!("src/{module} has no place in ORDER"));
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            for name in imports(line) {
                let Some(other) = rank(&name) else {
                    faults.push(format!("{}:{}: `{name}` has no place in ORDER", relative.display(), number + 1));
                    continue;
                };
                seen += 1;
                if other > own {
                    faults.push(format!("{}:{}: {module} imports {name}", relative.display(), number + 1));
                }
            }
        }
    }
    assert!(seen > 100, "saw only {seen} imports");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn imports_are_found() {
    assert_eq!(imports("use crate::kernels::{conv, pool};"), ["kernels"]);
    assert_eq!(imports("use crate::{Scalar, layers};"), ["scalar", "layers"]);
    assert_eq!(imports("fn f(x: crate::Tensor<1>) -> crate::loss::Fault {} // crate::train"), ["tensor", "loss"]);
}
