//! The anomaly detection of MLPerf Tiny.

use crate::network;

network! {
    /// MLPerf Tiny's anomaly detection: an auto-encoder of the sound of a machine, five frames of 128 mel bands, which it reproduces badly where the machine is not
    /// as in training; 267,928 parameters, 264,192 multiply-adds.
    ///
    /// C. Banbury et al., "MLPerf Tiny benchmark", arXiv:2106.07597 (2021), in its reference's form (github.com/mlcommons/tiny, `anomaly_detection`), that of the baseline of
    /// DCASE 2020 (Y. Koizumi et al., arXiv:2006.05822). Keras counts 2,064 running averages too: 269,992. It is trained with
    /// [`SquaredError`](crate::loss::SquaredError), its input for the target. The reference's layers have no names.
    pub struct AutoEncoder([640] -> [640]) {
        encoder: repeat(4) { fc: linear(128), bn: batch_norm(epsilon = 1e-3), relu },
        code: linear(8), code_bn: batch_norm(epsilon = 1e-3), relu,
        decoder: repeat(4) { fc: linear(128), bn: batch_norm(epsilon = 1e-3), relu },
        output: linear(640),
    }
}

const _: () = assert!(AutoEncoder::PARAMS == 267_928 && AutoEncoder::MACS == 264_192);
const _: () = assert!(AutoEncoder::PARAMS + AutoEncoder::STATISTICS == 269_992);
