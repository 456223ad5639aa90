//! ResNet8, measured.
#![no_std]
#![no_main]

tenonet_firmware::measured!(tenonet::zoo::ResNet8);
