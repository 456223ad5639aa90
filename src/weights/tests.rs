//! Files in and out, and each kind of file that is refused.

use crate::Network;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::*;
use crate::info::MemoryOrder;
use crate::plain::Plain;
use crate::train::fixture::Linear;

fn network() -> Box<Linear> {
    Linear::init(&mut ChaCha8Rng::seed_from_u64(1))
}

/// A file with these tensors, of ones.
fn file<T: crate::Scalar>(tensors: &[(&str, &[usize])]) -> Vec<u8> {
    let data = [T::one(); 64];
    let entry = |&(name, shape): &(&str, &[usize])| Entry {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data: &data[..shape.iter().product()],
        parts: Vec::new(),
    };
    written(tensors.iter().map(entry).collect())
}

fn written<T: crate::Scalar>(entries: Vec<Entry<'_, T>>) -> Vec<u8> {
    let contents = Contents { counters: Vec::new(), entries, note: None };
    let mut bytes = Vec::new();
    write::document(&mut bytes, write::header(&contents).unwrap(), &contents).unwrap();
    bytes
}

fn refused(bytes: &[u8]) -> String {
    refused_named(bytes, Names::DECLARED)
}

fn refused_named(bytes: &[u8], names: Names) -> String {
    let mut net = network();
    let before = net.clone();
    let tables = Named { network: <Linear>::NAME, tensors: <Linear>::TENSORS, names: &names };
    let error = tables.load(net.params_mut(), "net.safetensors", bytes).unwrap_err();
    assert_eq!(net, before, "a refused file changes nothing");
    error.to_string()
}

#[test]
fn a_file_returns_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let net = network();
    net.save(&path).unwrap();
    assert_eq!(Linear::load(&path).unwrap(), net);
    let mut other = Linear::boxed_zeros();
    other.load_from(&path).unwrap();
    assert_eq!(other, net);
    let bytes = net.to_bytes().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(Linear::from_bytes(&bytes).unwrap(), net);
    // Nothing else was left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let double = Linear::<f64>::init(&mut ChaCha8Rng::seed_from_u64(1));
    assert_eq!(Linear::<f64>::from_bytes(&double.to_bytes().unwrap()).unwrap(), double);
}

/// The format is read by the library that defines it, not by our own writer alone.
#[test]
fn names_shapes_and_numbers_are_the_formats() {
    let (net, bytes) = (network(), network().to_bytes().unwrap());
    assert_eq!(bytes.len() % 4, 0);
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let (weight, bias) = (read.tensor("fc.weight").unwrap(), read.tensor("fc.bias").unwrap());
    assert_eq!((weight.dtype(), weight.shape()), (safetensors::Dtype::F32, &[3, 4][..]));
    assert_eq!((bias.dtype(), bias.shape(), read.len()), (safetensors::Dtype::F32, &[3][..], 2));
    let numbers: Vec<f32> = weight.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    // In memory the outputs are the fastest.
    for (i, number) in numbers.iter().enumerate() {
        assert_eq!(*number, net.params()[i % 4 * 3 + i / 4]);
    }
}

/// More outputs than are written at a time, behind them a bias, and something that is no tensor of the table: an optimizer's state.
#[test]
fn a_slice_of_several_tensors_is_written_in_their_order() {
    const OUTPUTS: usize = 130;
    const LEN: usize = OUTPUTS * 6 + OUTPUTS + 2;
    let role = crate::info::Role::Bias;
    let tensors = [
        TensorInfo { name: "w", shape: &[OUTPUTS, 3, 2, 1], memory: MemoryOrder::OutputsLast, offset: 0, role },
        TensorInfo { name: "b", shape: &[OUTPUTS], memory: MemoryOrder::Same, offset: OUTPUTS * 6, role },
    ];
    let wanted: Vec<f64> = (0..LEN).map(|i| i as f64).collect();
    let mut data = wanted.clone();
    for (index, value) in wanted.iter().take(tensors[0].len()).enumerate() {
        data[tensors[0].memory_index(index)] = *value;
    }
    let parts = tensors.iter().collect();
    let bytes = written(vec![Entry { name: "state".into(), shape: vec![LEN], data: &data, parts }]);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = file.tensor("state").unwrap().data().as_chunks().0.iter().map(|b| f64::from_le_bytes(*b));
    assert_eq!(numbers.collect::<Vec<_>>(), wanted);
    let mut read = vec![f64::NAN; LEN];
    Source::new("state.safetensors", &bytes).unwrap().copy("state", tensors.iter(), &mut read).unwrap();
    assert_eq!(read, data);
}

/// What PyTorch calls `Linear`'s one layer where it is the second of a `Sequential`.
const TORCH: Names = Names::of(&[("fc", "classifier.1")]);

#[test]
fn another_librarys_names_return_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let net = network();
    net.save_named(&path, &TORCH).unwrap();
    assert_eq!(Linear::load_named(&path, &TORCH).unwrap(), net);
    let bytes = net.to_bytes_named(&TORCH).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(Linear::from_bytes_named(&bytes, &TORCH).unwrap(), net);
    let mut other = Linear::boxed_zeros();
    other.load_from_named(&path, &TORCH).unwrap();
    assert_eq!(other, net);
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(read.tensor("classifier.1.weight").unwrap().shape(), [3, 4]);
    // Only the names differ.
    let declared = net.to_bytes().unwrap();
    let declared = safetensors::SafeTensors::deserialize(&declared).unwrap();
    for tensor in ["weight", "bias"] {
        let theirs = read.tensor(&format!("classifier.1.{tensor}")).unwrap();
        assert_eq!(theirs.data(), declared.tensor(&format!("fc.{tensor}")).unwrap().data());
    }
}

#[test]
fn messages_say_both_names() {
    let text = refused_named(&network().to_bytes().unwrap(), TORCH);
    assert_eq!(
        text,
        "net.safetensors: no tensor `classifier.1.weight` (declared as `fc.weight`); Linear wants it, as [3, 4]; \
         the file has `fc.bias`, `fc.weight`"
    );
    let weight: (&str, &[usize]) = ("classifier.1.weight", &[3, 4]);
    let bias: (&str, &[usize]) = ("classifier.1.bias", &[3]);
    assert_eq!(
        refused_named(&file::<f32>(&[("classifier.1.weight", &[4, 3]), bias]), TORCH),
        "net.safetensors: tensor `classifier.1.weight` (declared as `fc.weight`) is [4, 3], but Linear wants [3, 4]"
    );
    assert_eq!(
        refused_named(&file::<f64>(&[weight, bias]), TORCH),
        "net.safetensors: the elements of tensor `classifier.1.weight` (declared as `fc.weight`) are F64, but Linear wants F32"
    );
    assert_eq!(
        refused_named(&file::<f32>(&[weight, bias, ("fc.bias", &[3])]), TORCH),
        "net.safetensors: it has a tensor `fc.bias` [3], but Linear has no such tensor"
    );
}

/// Before a file is looked at.
#[test]
fn names_of_another_network() {
    let unused = Names::of(&[("fc", "classifier.1"), ("conv1", "features.0")]);
    let wanted = "the names for Linear: the entry (`conv1`, `features.0`) names no tensor of it";
    assert_eq!(refused_named(b"", unused), format!("net.safetensors: {wanted}"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let text = network().save_named(&path, &unused).unwrap_err().to_string();
    assert_eq!(text, format!("{}: {wanted}", path.display()));
    assert!(!path.exists());
    let twice = Names::of(&[("fc.bias", "fc.weight")]);
    assert_eq!(
        network().to_bytes_named(&twice).unwrap_err().to_string(),
        "<memory>: the names for Linear: `fc.weight` and `fc.bias` would both be called `fc.weight`"
    );
}

crate::network! {
    /// Averages behind two layers, of which one has a name.
    #[derive(Debug, PartialEq)]
    struct Normed([2, 3, 3] -> [2, 2, 2]) { conv1: conv(3, kernel = 1), bn1: batch_norm, relu, conv(2, kernel = 2), bn2: batch_norm }
}

/// PyTorch's strict loading wants a counter beside each variance; without the option there is none.
#[test]
fn batches_are_counted_for_pytorch() {
    const NAMES: Names = Names::of(&[("bn1", "features.1"), ("conv_3", "features.3")]);
    let mut net = Normed::init(&mut ChaCha8Rng::seed_from_u64(2));
    net.flat_mut().iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
    let plain = net.to_bytes_named(&NAMES).unwrap();
    let counted = net.to_bytes_named(&NAMES.num_batches_tracked()).unwrap();
    let read = safetensors::SafeTensors::deserialize(&counted).unwrap();
    assert_eq!(safetensors::SafeTensors::deserialize(&plain).unwrap().len() + 2, read.len());
    for name in ["features.1.num_batches_tracked", "bn2.num_batches_tracked"] {
        let counter = read.tensor(name).unwrap();
        assert_eq!((counter.dtype(), counter.shape()), (safetensors::Dtype::I64, &[][..]));
        assert_eq!(counter.data(), 0_i64.to_le_bytes());
    }
    // Both load, whatever the names say of counters.
    for bytes in [&plain, &counted] {
        for names in [NAMES, NAMES.num_batches_tracked()] {
            assert_eq!(Normed::from_bytes_named(bytes, &names).unwrap(), net);
        }
    }
    let f64_net = Normed::<f64>::zeroed_box();
    let bytes = f64_net.to_bytes_named(&NAMES.num_batches_tracked()).unwrap();
    assert_eq!(Normed::<f64>::from_bytes_named(&bytes, &NAMES).unwrap(), f64_net);
    // A counter without its variance is a tensor too many.
    let some: &[(&str, &[usize])] = &[("fc.weight", &[3, 4]), ("fc.bias", &[3]), ("fc.num_batches_tracked", &[])];
    let text = refused(&file::<f32>(some));
    assert_eq!(text, "net.safetensors: it has a tensor `fc.num_batches_tracked` [], but Linear has no such tensor");
}

#[test]
fn order_in_the_file_does_not_matter() {
    let net = Linear::<f32>::from_bytes(&file::<f32>(&[("fc.bias", &[3]), ("fc.weight", &[3, 4])])).unwrap();
    assert!(net.params().iter().all(|&p| p == 1.0));
}

#[test]
fn a_tensor_too_few() {
    let text = refused(&file::<f32>(&[("fc.weight", &[3, 4])]));
    assert_eq!(text, "net.safetensors: no tensor `fc.bias`; Linear wants it, as [3]; the file has `fc.weight`");
    assert!(
        refused(&file::<f32>(&[]))
            .ends_with("no tensor `fc.weight`; Linear wants it, as [3, 4]; the file has no tensors")
    );
}

#[test]
fn a_tensor_too_many() {
    let text = refused(&file::<f32>(&[("fc.weight", &[3, 4]), ("fc.bias", &[3]), ("fc2.bias", &[2])]));
    assert_eq!(text, "net.safetensors: it has a tensor `fc2.bias` [2], but Linear has no such tensor");
}

#[test]
fn another_shape() {
    let text = refused(&file::<f32>(&[("fc.weight", &[4, 3]), ("fc.bias", &[3])]));
    assert_eq!(text, "net.safetensors: tensor `fc.weight` is [4, 3], but Linear wants [3, 4]");
}

#[test]
fn another_type() {
    let text = refused(&file::<f64>(&[("fc.weight", &[3, 4]), ("fc.bias", &[3])]));
    assert_eq!(text, "net.safetensors: the elements of tensor `fc.weight` are F64, but Linear wants F32");
    let error = Linear::<f64>::from_bytes(&network().to_bytes().unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("are F32, but Linear wants F64"), "{error}");
}

#[test]
fn cut_off_or_appended_to() {
    let bytes = network().to_bytes().unwrap();
    for length in 0..bytes.len() {
        let text = refused(&bytes[..length]);
        assert!(
            text.starts_with(&format!("net.safetensors: not a whole safetensors file ({length} bytes): ")),
            "{text}"
        );
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(refused(&longer).contains("cut off or something was appended"));
}

#[test]
fn files_that_are_something_else() {
    assert!(refused(b"PNG").contains("it ends before the header"));
    assert!(refused(&[0xff; 100]).contains("no safetensors file"));
    let mut bytes = 10_u64.to_le_bytes().to_vec();
    bytes.extend(b"{nonsense}");
    assert!(refused(&bytes).contains("JSON"), "{}", refused(&bytes));
}

#[test]
fn a_missing_file_and_a_missing_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent/net.safetensors");
    let text = Linear::<f32>::load(&path).unwrap_err().to_string();
    assert!(text.contains("absent/net.safetensors: cannot read it"), "{text}");
    let text = network().save(&path).unwrap_err().to_string();
    assert!(text.contains("absent/net.safetensors: cannot write it"), "{text}");
}

#[test]
fn a_failed_write_leaves_the_former_file() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    std::fs::write(&path, b"former").unwrap();
    let failed = atomic::write(&path, |out: &mut dyn Write| {
        out.write_all(b"half")?;
        Err(std::io::Error::other("no more"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "no more");
    assert_eq!(std::fs::read(&path).unwrap(), b"former");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_is_as_readable_as_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (saved, other) = (folder.path().join("net.safetensors"), folder.path().join("other"));
    network().save(&saved).unwrap();
    std::fs::write(&other, b"").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(saved), mode(other));
}

proptest::proptest! {
    /// Whatever the bytes, reading is an error or a network, never a panic.
    #[test]
    fn damaged_files_never_panic(place in 0_usize..400, byte: u8) {
        let mut bytes = network().to_bytes().unwrap();
        let place = place % bytes.len();
        bytes[place] = byte;
        let _ = Linear::<f32>::from_bytes(&bytes);
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        proptest::prop_assert!(Linear::<f32>::from_bytes(&bytes).is_err());
    }

    #[test]
    fn all_bits_survive(bits: [u32; 15]) {
        let mut net = Linear::<f32>::zeroed_box();
        for (p, bits) in net.params_mut().iter_mut().zip(bits) {
            *p = f32::from_bits(bits);
        }
        let read = Linear::<f32>::from_bytes(&net.to_bytes().unwrap()).unwrap();
        let read: Vec<u32> = read.params().iter().map(|p| p.to_bits()).collect();
        proptest::prop_assert_eq!(&read[..], &bits[..]);
    }
}
