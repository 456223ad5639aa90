//! LeNet5, measured.
#![no_std]
#![no_main]

tenonet_firmware::measured!(tenonet::zoo::LeNet5);
