//! Files of a set in the user's folder.

use std::path::{Path, PathBuf};

use super::DataError;

/// The file of this name in one of its spellings, plain or with `.gz` behind it.
pub(super) fn find(folder: &Path, spellings: &[String]) -> Result<PathBuf, DataError> {
    for name in spellings.iter().flat_map(|name| [name.clone(), format!("{name}.gz")]) {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
    }
    let list = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    let (folder, wanted) = (folder.to_path_buf(), spellings.into());
    match list() {
        Ok(found) => Err(DataError::Missing { folder, wanted, found }),
        Err(reason) => Err(DataError::Folder { folder, wanted, reason }),
    }
}
