//! The page: version, generation, pid and arguments, one `name=value` a line. HTTP/1, one
//! connection at a time.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Listens on every address; waits up to a second for a port that the previous generation just
/// gave back.
///
/// # Errors
/// A text that names the port.
pub fn listen(port: u16) -> Result<TcpListener, String> {
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if Instant::now() > deadline => {
                return Err(format!("cannot listen on port {port}: {error}"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Answers every request with `page`, for ever. A client that goes away is its own business.
pub fn serve(listener: &TcpListener, page: &str) {
    for connection in listener.incoming().flatten() {
        let _ = answer(&connection, page);
    }
}

fn answer(connection: &TcpStream, page: &str) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut request = BufReader::new(connection);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut reply = connection;
    write!(
        reply,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
}
