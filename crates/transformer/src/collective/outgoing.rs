use std::{
    io::{self, ErrorKind, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{frame::FrameHeader, patience::Patience};

/// Frames between the worker and its writer. One would do: a worker queues a frame only after it has read all before it, so the one that
/// is furthest behind always finds room or something to read.
const QUEUE: usize = 4;

/// The connection to the right neighbour. A thread writes, so that the worker reads while the neighbour is not yet reading: otherwise a
/// ring of workers that all write more than their socket buffers hold would stand still. Without it the worker would have to turn between
/// two sockets that do not block, and `std` has no call that waits for either.
#[derive(Debug)]
pub(super) struct Outgoing {
    stream: TcpStream,
    queue: Option<SyncSender<Vec<u8>>>,
    /// Buffers that are written and can be filled again; ends with the writer.
    written: Receiver<Vec<u8>>,
    writer: Option<JoinHandle<()>>,
    trouble: Arc<OnceLock<String>>,
    patience: Patience,
    pub(super) bytes: u64,
    /// How long it was waited for room in the queue.
    pub(super) waited: Duration,
}

impl Outgoing {
    pub(super) fn new(stream: TcpStream, to: usize, patience: Patience, trouble: Arc<OnceLock<String>>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(patience.tick()))?;
        let (queue, queued) = sync_channel(QUEUE);
        let (done, written) = channel();
        let mut writer = Writer { stream: stream.try_clone()?, to, patience: patience.clone(), done };
        let reported = Arc::clone(&trouble);
        let run = move || {
            if let Err(reason) = writer.run(&queued) {
                reported.set(reason).expect("only the writer reports, and once");
            }
        };
        let writer = thread::Builder::new().name("ring writer".into()).spawn(run)?;
        let (queue, writer) = (Some(queue), Some(writer));
        Ok(Self { stream, queue, written, writer, trouble, patience, bytes: 0, waited: Duration::ZERO })
    }

    /// Queues a frame of values.
    pub(super) fn send(&mut self, header: &FrameHeader, values: &[f32]) -> Result<(), String> {
        let mut buffer = self.written.try_recv().unwrap_or_default();
        buffer.resize(FrameHeader::LEN + size_of_val(values), 0);
        let (start, payload) = buffer.split_at_mut(FrameHeader::LEN);
        start.copy_from_slice(&header.to_bytes());
        for (bytes, value) in payload.as_chunks_mut().0.iter_mut().zip(values) {
            *bytes = value.to_le_bytes();
        }
        self.bytes += buffer.len() as u64;
        self.patience.renew();
        let sent = self.queue.as_ref().and_then(|queue| queue.send(buffer).ok());
        self.waited += self.patience.renew();
        sent.ok_or_else(|| self.trouble.get().map_or("the connection is closed", String::as_str).to_owned())
    }

    /// Sends a last frame if there is room for it, and closes the connection, after `limit` at the latest.
    pub(super) fn end_with(&mut self, header: &FrameHeader, payload: &[u8], limit: Duration) {
        if let Some(queue) = &self.queue {
            // Without room the neighbour does not read, and will see no more than the end of the connection.
            queue.try_send([&header.to_bytes(), payload].concat()).ok();
        }
        self.close(limit);
    }

    /// Lets the writer go on as long as it gets rid of a frame within `limit`, and closes the connection.
    fn close(&mut self, limit: Duration) {
        self.queue = None;
        while self.written.recv_timeout(limit).is_ok() {}
        // Wakes a writer that is stuck. One that is done has nothing to lose, and neither has a neighbour that is gone.
        self.stream.shutdown(Shutdown::Both).ok();
        if let Some(writer) = self.writer.take() {
            // It has no result, and what it had to report it has reported.
            writer.join().ok();
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if self.writer.is_some() {
            self.close(self.patience.limit);
        }
    }
}

struct Writer {
    stream: TcpStream,
    to: usize,
    patience: Patience,
    done: Sender<Vec<u8>>,
}

impl Writer {
    fn run(&mut self, queued: &Receiver<Vec<u8>>) -> Result<(), String> {
        for buffer in queued {
            self.write(&buffer)?;
            // Nobody fills it again where the worker has gone.
            self.done.send(buffer).ok();
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        self.patience.renew();
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(format!("rank {} takes no more", self.to)),
                Ok(count) => {
                    bytes = &bytes[count..];
                    self.patience.renew();
                }
                Err(error) => self.endure(&error)?,
            }
        }
        Ok(())
    }

    fn endure(&self, error: &io::Error) -> Result<(), String> {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut if self.patience.is_over() => {
                Err(format!("rank {} took nothing for {:?}", self.to, self.patience.limit))
            }
            ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
            _ => Err(format!("the connection to rank {} is lost: {error}", self.to)),
        }
    }
}
