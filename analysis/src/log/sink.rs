//! Compressed logs on their way into a file.

use std::fmt;
use std::io::{self, Write};

use flate2::write::GzEncoder;
use zstd::stream::write::Encoder as ZstdEncoder;

/// How a log is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// Not at all: `events.csv`.
    #[default]
    None,
    /// Zstandard: `events.csv.zst`.
    Zstd,
    /// gzip: `events.csv.gz`.
    Gzip,
}

impl Compression {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::None, Self::Zstd, Self::Gzip];

    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What stands behind the name of a file.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }
}

/// As much text as makes a frame worth its start: smaller ones compress worse, larger ones lose more of a file that is cut.
const FULL_FRAME: u64 = 1 << 20;
/// The encoders are given text in pieces of this size, so that their output depends on the text alone.
const PIECE: usize = 1 << 17;
/// The usual levels of the two programs: of much higher ones, time grows more than the files shrink.
const ZSTD_LEVEL: i32 = 3;
const GZIP_LEVEL: u32 = 6;

/// Compresses a log into frames, each of which can be read without the others: of Zstandard they are called so, of gzip
/// members. Concatenated they are a file that the usual programs read.
///
/// The bytes follow from the text and from where frames are closed, and from nothing else. Without compression the text
/// passes as it is, and every place is the end of a frame.
///
/// ```
/// use byzlab_analysis::{Compression, FrameSink};
/// use std::io::Read;
/// let (mut sink, mut file) = (FrameSink::new(Compression::Gzip), Vec::new());
/// sink.write(b"a,b\n", &mut file)?;
/// sink.close(&mut file)?;
/// sink.write(b"1,2\n", &mut file)?;
/// sink.close(&mut file)?;
/// let mut text = String::new();
/// flate2::read::MultiGzDecoder::new(&file[..]).read_to_string(&mut text)?;
/// assert_eq!(text, "a,b\n1,2\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FrameSink {
    compression: Compression,
    frame: Option<Frame>,
}

/// A frame that is not closed.
struct Frame {
    encoder: Encoder,
    /// What the encoder has not seen yet.
    piece: Vec<u8>,
    text: u64,
}

enum Encoder {
    Zstd(ZstdEncoder<'static, Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl FrameSink {
    /// A sink without an open frame.
    pub fn new(compression: Compression) -> Self {
        Self { compression, frame: None }
    }

    /// Takes the next piece of the log, and hands on to `file` what comes of it now.
    pub fn write(&mut self, mut text: &[u8], file: &mut impl Write) -> io::Result<()> {
        if self.compression == Compression::None {
            return file.write_all(text);
        }
        while !text.is_empty() {
            let frame = match &mut self.frame {
                Some(frame) => frame,
                None => self.frame.insert(Frame::open(self.compression)?),
            };
            let (piece, rest) = text.split_at(text.len().min(PIECE - frame.piece.len()));
            frame.piece.extend_from_slice(piece);
            frame.text += piece.len() as u64;
            text = rest;
            if frame.piece.len() == PIECE {
                frame.encode(file)?;
            }
        }
        Ok(())
    }

    /// Whether there is enough in the open frame for it to be closed at the next good place.
    pub fn is_full(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| frame.text >= FULL_FRAME)
    }

    /// Whether what was written ends with a whole frame.
    pub fn is_closed(&self) -> bool {
        self.frame.is_none()
    }

    /// Ends the open frame, if there is one.
    pub fn close(&mut self, file: &mut impl Write) -> io::Result<()> {
        let Some(mut frame) = self.frame.take() else { return Ok(()) };
        frame.encode(file)?;
        let rest = match frame.encoder {
            Encoder::Zstd(encoder) => encoder.finish()?,
            Encoder::Gzip(encoder) => encoder.finish()?,
        };
        file.write_all(&rest)
    }
}

impl Frame {
    fn open(compression: Compression) -> io::Result<Self> {
        let encoder = if compression == Compression::Gzip {
            // Without a name and a time, so that it is the same tomorrow.
            Encoder::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL)))
        } else {
            let mut encoder = ZstdEncoder::new(Vec::new(), ZSTD_LEVEL)?;
            encoder.include_checksum(true)?;
            Encoder::Zstd(encoder)
        };
        Ok(Self { encoder, piece: Vec::with_capacity(PIECE), text: 0 })
    }

    fn encode(&mut self, file: &mut impl Write) -> io::Result<()> {
        let encoded = match &mut self.encoder {
            Encoder::Zstd(encoder) => {
                encoder.write_all(&self.piece)?;
                encoder.get_mut()
            }
            Encoder::Gzip(encoder) => {
                encoder.write_all(&self.piece)?;
                encoder.get_mut()
            }
        };
        self.piece.clear();
        file.write_all(encoded)?;
        encoded.clear();
        Ok(())
    }
}

impl fmt::Debug for FrameSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.frame.as_ref().map(|frame| frame.text);
        f.debug_struct("FrameSink").field("compression", &self.compression).field("in_frame", &text).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Rows that repeat as those of a log do, three frames of them.
    fn log() -> Vec<u8> {
        let row = |row: u64| format!("0,7,{},{},committed,0,{row},{:016x}\n", row * 1000, row % 4, row * row);
        (0..90_000).map(row).collect::<String>().into_bytes()
    }

    /// The file, of the log in pieces of this length.
    fn compress(compression: Compression, log: &[u8], length: usize) -> Vec<u8> {
        let (mut sink, mut file) = (FrameSink::new(compression), Vec::new());
        // Closed at the same places of the text, whatever the pieces.
        for part in log.chunks(1_300_000) {
            for piece in part.chunks(length) {
                sink.write(piece, &mut file).unwrap();
            }
            assert_eq!(sink.is_full(), compression != Compression::None && part.len() >= FULL_FRAME as usize);
            sink.close(&mut file).unwrap();
            assert!(sink.is_closed());
        }
        file
    }

    fn read(compression: Compression, file: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        match compression {
            Compression::None => text.extend_from_slice(file),
            Compression::Zstd => _ = zstd::stream::read::Decoder::new(file).unwrap().read_to_end(&mut text).unwrap(),
            Compression::Gzip => _ = flate2::read::MultiGzDecoder::new(file).read_to_end(&mut text).unwrap(),
        }
        text
    }

    #[test]
    fn the_bytes_do_not_depend_on_the_pieces() {
        let log = log();
        for compression in Compression::ALL {
            let whole = compress(compression, &log, log.len());
            for length in [997, 1 << 16, 1 << 17, 200_000] {
                assert!(compress(compression, &log, length) == whole, "{compression:?} in pieces of {length}");
            }
            assert!(read(compression, &whole) == log, "{compression:?}");
            assert!(compression == Compression::None || whole.len() < log.len() / 3, "{compression:?} {}", whole.len());
        }
    }

    #[test]
    fn nothing_makes_no_frame() {
        for compression in Compression::ALL {
            assert!(compress(compression, &[], 1).is_empty());
        }
    }
}
