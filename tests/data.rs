//! IDX files as users have them, and as they should not be.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tenonet::Tensor;
use tenonet::data::{Cifar10, CifarFault, DataError, Dataset, ElementType, Idx, cifar10, cifar10_batch, mnist};

/// The header of an IDX file.
fn header(code: u8, dimensions: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    bytes
}

fn idx(code: u8, dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    [header(code, dimensions), elements.to_vec()].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What a user sees for these bytes, read as 2×3 images; the error must name the file.
fn complaint(bytes: &[u8]) -> String {
    let error = Idx::read(bytes, "x.idx").and_then(|idx| idx.tensors::<Tensor<1, 2, 3>>(1.0)).unwrap_err();
    let text = error.to_string();
    text.strip_prefix("x.idx: ").unwrap_or_else(|| panic!("does not name the file: {text}")).to_string()
}

fn label_complaint(bytes: &[u8]) -> String {
    Idx::read(bytes, "x.idx").and_then(|idx| idx.labels::<u8>()).unwrap_err().to_string()
}

#[test]
fn plain_and_gzip_are_told_by_content() {
    let plain = idx(0x08, &[2, 2, 3], &[0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6]);
    let folder = tempfile::tempdir().unwrap();
    // The name says nothing: a gzip'ed file without .gz, and a plain one with it.
    for (name, bytes) in [("a", gzip(&plain)), ("b.gz", plain)] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let idx = Idx::open(folder.path().join(name)).unwrap();
        assert_eq!((idx.element_type(), idx.dimensions()), (ElementType::U8, &[2, 2, 3][..]));
        let images = idx.tensors::<Tensor<1, 2, 3>>(1.0 / 255.0).unwrap();
        assert_eq!(images[0].as_slice(), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        let doubles = idx.tensors::<Tensor<1, 2, 3, f64>>(1.0).unwrap();
        assert_eq!(doubles[1].as_slice(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

#[test]
fn all_element_types_are_big_endian() {
    let cases: [(u8, Vec<u8>, f32); 6] = [
        (0x08, vec![200], 200.0),
        (0x09, vec![200], -56.0),
        (0x0b, (-300i16).to_be_bytes().into(), -300.0),
        (0x0c, 70_000i32.to_be_bytes().into(), 70_000.0),
        (0x0d, 0.5f32.to_be_bytes().into(), 0.5),
        (0x0e, (-0.25f64).to_be_bytes().into(), -0.25),
    ];
    for (code, bytes, wanted) in cases {
        let read = Idx::read(&idx(code, &[1, 1, 1, 1], &bytes)[..], "x").unwrap();
        assert_eq!(read.tensors::<Tensor<1>>(1.0).unwrap()[0].as_slice(), [wanted], "{code:02x}");
    }
}

#[test]
fn channels_are_a_dimension_of_their_own() {
    let read = Idx::read(&idx(0x08, &[1, 2, 1, 2], &[1, 2, 3, 4])[..], "x").unwrap();
    assert_eq!(read.tensors::<Tensor<2, 1, 2>>(1.0).unwrap()[0][1], [[3.0, 4.0]]);
}

#[test]
fn wrong_files_are_refused_in_words() {
    let image = [0; 6];
    assert_eq!(complaint(b""), "magic number: found 0 bytes, wanted 2: the file is cut off");
    assert_eq!(
        complaint(b"PK\x03\x04"),
        "magic number: found bytes [50, 4b], wanted [00, 00]: this is no IDX file, nor a gzip'ed one"
    );
    assert_eq!(
        complaint(&idx(0x0a, &[1, 2, 3], &image)),
        "type code: found 0x0a, wanted one of 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32), 0x0e (f64)"
    );
    assert_eq!(complaint(&[0, 0, 8]), "header: found 3 bytes, wanted 4: the file is cut off");
    assert_eq!(complaint(&[0, 0, 8, 3, 0, 0]), "dimensions: found 2 bytes, wanted 12: the file is cut off");
    assert_eq!(complaint(&idx(0x08, &[6], &image)), "dimensions: found 1 (6), wanted 3: images, rows, columns");
    assert_eq!(complaint(&idx(0x08, &[1, 3, 2], &image)), "image size: found 3×2, wanted 1×2×3 by the tensor's type");
    assert_eq!(complaint(&idx(0x08, &[2, 2, 3], &image)), "elements: found 6 bytes, wanted 12: the file is cut off");
    assert_eq!(
        complaint(&idx(0x08, &[1, 2, 2], &image)),
        "elements: found more bytes than the 4 that the dimensions 1×2×2 need"
    );
    let whole = gzip(&idx(0x08, &[1000, 2, 3], &(0..6000).map(|i| (i * i % 251) as u8).collect::<Vec<_>>()));
    let cut = complaint(&whole[..whole.len() / 2]);
    assert!(cut.starts_with("elements: found ") && cut.ends_with(" bytes, wanted 6000: the file is cut off"), "{cut}");
    // The checksum at the end is missing, or wrong.
    assert!(complaint(&whole[..whole.len() - 3]).starts_with("elements: "));
    let mut damaged = whole.clone();
    let crc = damaged.len() - 6;
    damaged[crc] ^= 1;
    assert!(complaint(&damaged).starts_with("elements: "));
    let missing = Idx::open("no/such/file").unwrap_err().to_string();
    assert!(missing.starts_with("no/such/file: cannot open: "), "{missing}");
}

#[test]
fn wrong_labels_are_refused_in_words() {
    assert_eq!(label_complaint(&idx(0x08, &[1, 1], &[0])), "x.idx: dimensions: found 2 (1×1), wanted 1: labels");
    assert_eq!(
        label_complaint(&idx(0x0d, &[1], &[0; 4])),
        "x.idx: element type: found f32, wanted whole numbers: labels"
    );
    assert_eq!(label_complaint(&idx(0x0b, &[2], &[0, 7, 1, 0])), "x.idx: label 1: found 256, wanted a value of u8");
    assert_eq!(Idx::read(&idx(0x0b, &[2], &[0, 7, 1, 0])[..], "x").unwrap().labels::<u16>().unwrap(), [7, 256]);
}

#[test]
fn a_header_allocates_nothing() {
    // Overflow of the product, and 64 GB that do not follow: both are told at once, in a few kilobytes.
    let error = complaint(&header(0x0e, &[u32::MAX; 3]));
    assert_eq!(error, "dimensions: 4294967295×4294967295×4294967295 elements of 8 bytes are more than memory can hold");
    let error = complaint(&idx(0x08, &[16_000_000, 64, 64], &[0; 10]));
    assert_eq!(error, "elements: found 10 bytes, wanted 65536000000: the file is cut off");
    let error = complaint(&gzip(&idx(0x08, &[16_000_000, 64, 64], &[0; 10])));
    assert_eq!(error, "elements: found 10 bytes, wanted 65536000000: the file is cut off");
    let error = complaint(&header(0x08, &[u32::MAX; 255]));
    assert!(error.starts_with("dimensions: 4294967295×"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..64), code in 8u8..15, n in 0u8..6) {
        for bytes in [bytes.clone(), [&[0, 0, code, n][..], &bytes].concat(), [&[0x1f, 0x8b][..], &bytes].concat()] {
            if let Ok(idx) = Idx::read(&bytes[..], "x") {
                let _ = (idx.tensors::<Tensor<1, 2, 3>>(1.0), idx.tensors::<Tensor<1, 0, 0>>(1.0), idx.labels::<u8>());
            }
        }
    }

    #[test]
    fn what_was_written_is_read(pixels in proptest::collection::vec(any::<u8>(), 0..20), zip in any::<bool>()) {
        let bytes = idx(0x08, &[pixels.len() as u32, 1, 1], &pixels);
        let read = Idx::read(&(if zip { gzip(&bytes) } else { bytes })[..], "x").unwrap();
        let found: Vec<f32> = read.tensors::<Tensor<1>>(1.0).unwrap().iter().map(|x| x[0][0][0]).collect();
        prop_assert_eq!(found, pixels.iter().map(|&p| f32::from(p)).collect::<Vec<_>>());
    }
}

/// A folder of MNIST's form: `n` images and their labels in each part.
fn write_mnist(folder: &Path, n: u32) {
    let pixels: Vec<u8> = (0..n * 784).map(|i| (i % 256) as u8).collect();
    let labels: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
    let images = idx(0x08, &[n, 28, 28], &pixels);
    let labels = idx(0x08, &[n], &labels);
    for (name, bytes) in [
        ("train-images-idx3-ubyte.gz", gzip(&images)),
        ("train-labels.idx1-ubyte", labels.clone()),
        ("t10k-images.idx3-ubyte", images),
        ("t10k-labels-idx1-ubyte", labels),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn mnist_under_all_its_names() {
    let folder = tempfile::tempdir().unwrap();
    write_mnist(folder.path(), 20);
    let set = mnist(folder.path()).unwrap();
    assert_eq!((set.train.len(), set.test.labels()[13]), (20, 3));
    assert_eq!(set.train.inputs()[0][0][0][5], 5.0 / 255.0);
    let (mean, std) = set.normalised().train.mean_std();
    assert!(mean.abs() < 1e-6 && (std - 1.0).abs() < 1e-6);
}

#[test]
fn a_wrong_folder_is_told_what_was_looked_for_and_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    let complaint = || mnist(folder.path()).unwrap_err().to_string().replace(&name, "F");
    assert_eq!(
        complaint(),
        "F: no file train-images-idx3-ubyte or train-images.idx3-ubyte, plain or with .gz behind it; the folder is empty"
    );
    write_mnist(folder.path(), 20);
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    assert_eq!(
        complaint(),
        "F: no file t10k-labels-idx1-ubyte or t10k-labels.idx1-ubyte, plain or with .gz behind it; \
         the folder holds t10k-images.idx3-ubyte, train-images-idx3-ubyte.gz, train-labels.idx1-ubyte"
    );
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), idx(0x08, &[19], &[0; 19])).unwrap();
    assert_eq!(
        complaint(),
        format!(
            "{}: 19 labels, but {} holds 20 images: each image needs its label",
            Path::new("F").join("t10k-labels-idx1-ubyte").display(),
            Path::new("F").join("t10k-images.idx3-ubyte").display(),
        )
    );
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), idx(0x08, &[2], &[9, 10])).unwrap();
    assert!(complaint().ends_with("label 1: found 10, wanted 0 to 9"), "{}", complaint());
    let nowhere = mnist("no/such/folder").unwrap_err();
    assert!(matches!(nowhere, DataError::Folder { .. }));
    assert!(
        nowhere.to_string().starts_with(
            "no/such/folder: cannot list this folder, to find train-images-idx3-ubyte or train-images.idx3-ubyte: "
        ),
        "{nowhere}"
    );
}

/// Records of CIFAR-10: those of these labels, with planes of `label`, `label + 100` and `label + 200`.
fn cifar_records(labels: &[u8]) -> Vec<u8> {
    let planes = |&label: &u8| [0, 100, 200].into_iter().flat_map(move |c: u8| [label.wrapping_add(c); 1024]);
    labels.iter().flat_map(|label| [*label].into_iter().chain(planes(label))).collect()
}

fn write_cifar(folder: &Path) {
    for batch in 1..=5 {
        fs::write(folder.join(format!("data_batch_{batch}.bin")), cifar_records(&[batch, batch - 1])).unwrap();
    }
    fs::write(folder.join("test_batch.bin"), cifar_records(&[9, 0, 8])).unwrap();
}

#[test]
fn cifar_in_six_files() {
    let folder = tempfile::tempdir().unwrap();
    write_cifar(folder.path());
    let set = cifar10(folder.path()).unwrap();
    // The files in their order, and records in theirs.
    assert_eq!(set.train.labels(), [1, 0, 2, 1, 3, 2, 4, 3, 5, 4]);
    assert_eq!(set.test.labels(), [9, 0, 8]);
    for (picture, label) in set.train.iter().chain(set.test.iter()) {
        for (plane, offset) in picture.0.iter().zip([0, 100, 200]) {
            assert!(plane.as_flattened().iter().all(|&x| x == f32::from(label + offset) / 255.0));
        }
    }
    // Gzip'ed, and under the longer name.
    fs::remove_file(folder.path().join("data_batch_3.bin")).unwrap();
    fs::write(folder.path().join("data_batch_3.bin.gz"), gzip(&cifar_records(&[3, 2]))).unwrap();
    assert_eq!(cifar10(folder.path()).unwrap(), set);

    let test = set.test.clone();
    let normalised = set.normalised();
    assert!(normalised.train.channel_mean_std().iter().all(|(m, s)| m.abs() < 1e-6 && (s - 1.0).abs() < 1e-6));
    // The test part gets the training part's numbers: labels of 0 to 5 have the mean 2.5 and the deviation 1.5 there.
    let (before, after) = (&test.inputs()[1], &normalised.test.inputs()[1]);
    assert!(before[0][0][0] == 0.0 && (after[0][0][0] - (0.0 - 2.5) / 1.5_f32).abs() < 1e-5, "{}", after[0][0][0]);
    assert_eq!(Cifar10::CLASSES[6], "frog");
}

#[test]
fn rows_and_planes_of_a_picture() {
    let mut bytes = vec![7];
    bytes.extend((0..3072).map(|i| (i % 251) as u8));
    let set = cifar10_batch(&bytes[..], "x").unwrap();
    for (c, y, x) in [(0, 0, 1), (0, 1, 0), (1, 0, 0), (2, 31, 31)] {
        assert_eq!(set.inputs()[0][c][y][x], ((c * 1024 + y * 32 + x) % 251) as f32 / 255.0);
    }
}

#[test]
fn wrong_cifar_files_are_refused_in_words() {
    let complaint = |bytes: &[u8]| {
        let text = cifar10_batch(bytes, "x.bin").unwrap_err().to_string();
        text.strip_prefix("x.bin: ").unwrap_or_else(|| panic!("does not name the file: {text}")).to_string()
    };
    let good = cifar_records(&[1, 2, 3]);
    let wanted = "wanted a multiple of 3073 (a label and 3×32×32 pixels)";
    assert_eq!(complaint(b""), format!("length: found 0 bytes, {wanted}: the file is empty"));
    assert_eq!(complaint(&good[..1]), format!("length: found 1 bytes, {wanted}: record 0 has 1 bytes"));
    assert_eq!(complaint(&good[..9218]), format!("length: found 9218 bytes, {wanted}: record 2 has 3072 bytes"));
    assert_eq!(
        complaint(&[&good[..], &[0]].concat()),
        format!("length: found 9220 bytes, {wanted}: record 3 has 1 bytes")
    );
    assert_eq!(complaint(&cifar_records(&[9, 0, 10, 200])), "record 2: label: found 10, wanted 0 to 9");
    assert_eq!(complaint(&gzip(&good[..3074])), format!("length: found 3074 bytes, {wanted}: record 1 has 1 bytes"));
    let zipped = gzip(&good);
    assert!(complaint(&zipped[..zipped.len() - 3]).starts_with("records: "));
    let error = cifar10_batch(&good[..5], "x").unwrap_err();
    assert!(matches!(error, DataError::Cifar { fault: CifarFault::Length { found: 5 }, .. }));
}

#[test]
fn a_wrong_cifar_folder_is_told_file_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    let complaint = || cifar10(folder.path()).unwrap_err().to_string().replace(&name, "F").replace('\\', "/");
    assert_eq!(complaint(), "F: no file data_batch_1.bin, plain or with .gz behind it; the folder is empty");
    write_cifar(folder.path());
    fs::remove_file(folder.path().join("test_batch.bin")).unwrap();
    fs::write(folder.path().join("data_batch_4.bin"), cifar_records(&[0, 77])).unwrap();
    // The missing file comes first: it is known before any is read.
    assert_eq!(
        complaint(),
        "F: no file test_batch.bin, plain or with .gz behind it; the folder holds data_batch_1.bin, data_batch_2.bin, \
         data_batch_3.bin, data_batch_4.bin, data_batch_5.bin"
    );
    write_cifar(folder.path());
    fs::write(folder.path().join("data_batch_4.bin"), cifar_records(&[0, 77])).unwrap();
    assert_eq!(complaint(), "F/data_batch_4.bin: record 1: label: found 77, wanted 0 to 9");
    assert!(matches!(cifar10("no/such/folder"), Err(DataError::Folder { .. })));
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer_as_cifar(bytes in proptest::collection::vec(any::<u8>(), 0..64), label in any::<u8>(), rest in 0_usize..2) {
        let record = [&[label][..], &[0; 3072][..], &bytes[..rest.min(bytes.len())]].concat();
        for bytes in [bytes.clone(), record, [&[0x1f, 0x8b][..], &bytes].concat()] {
            let _ = cifar10_batch(&bytes[..], "x");
        }
    }
}

/// Images larger than the stack: read, shuffled, split, batched and normalised in a thread of 256 KiB.
#[test]
fn large_images_stay_off_the_stack() {
    type Large = Tensor<1, 512, 512, f64>;
    let work = || {
        let bytes = idx(0x08, &[3, 512, 512], &vec![7; 3 * 512 * 512]);
        let images = Idx::read(&bytes[..], "large").unwrap().tensors::<Large>(1.0).unwrap();
        let set = Dataset::new(images, vec![0u8, 1, 2]).unwrap();
        let (mut train, test) = set.shuffled(1).split(0.34, 2);
        train.normalise(7.0, 2.0);
        let sums: f64 = train.batches(2, 3).map(|batch| batch.inputs()[1].as_slice().iter().sum::<f64>()).sum();
        (sums, test.inputs()[0][0][511][511])
    };
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap();
    assert_eq!(thread.join().unwrap(), (0.0, 7.0));
}
