//! Files that are never seen half written.

use std::io::{self, Write};
use std::path::Path;

/// Writes a file in one step: under a temporary name beside it, then renamed.
///
/// What was there before stays until all is written, and stays if writing fails.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A bare file name has the empty parent, which is no folder's name.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tenonet-");
    // tempfile makes files for the owner alone; this one is a file like others. The system's umask takes its part.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
