//! M5: sounds as they are, without a spectrum.

use crate::network;

network! {
    /// M5 for spoken commands: a second of sound at 8 kHz, 35 words; 26,915 parameters, 1,880,256 multiply-adds.
    ///
    /// W. Dai, C. Dai, S. Qu, J. Li, S. Das, "Very deep convolutional neural networks for raw waveforms", arXiv:1610.00087 (2016), in the width (32 and 64 channels for the paper's
    /// 128 to 512) and with the stride and the names of PyTorch's tutorial "Speech command classification with torchaudio".
    pub struct M5([1, 1, 8000] -> [35]) {
        conv1: conv1d(32, kernel = 80, stride = 16), bn1: batch_norm, relu, max_pool1d(4),
        conv2: conv1d(32, kernel = 3), bn2: batch_norm, relu, max_pool1d(4, floor),
        conv3: conv1d(64, kernel = 3), bn3: batch_norm, relu, max_pool1d(4),
        conv4: conv1d(64, kernel = 3), bn4: batch_norm, relu, max_pool1d(4, floor),
        global_avg_pool,
        fc1: linear(35),
    }
}

const _: () = assert!(M5::PARAMS == 26_915 && M5::MACS == 1_880_256);
