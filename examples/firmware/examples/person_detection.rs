//! PersonDetection, measured.
#![no_std]
#![no_main]

tenonet_firmware::measured!(tenonet::zoo::PersonDetection);
