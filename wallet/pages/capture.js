// In the thread of Web Audio: collects the microphone's samples and hands them on in pieces.

const PIECE = 2048;

class Capture extends AudioWorkletProcessor {
  piece = new Float32Array(PIECE);
  filled = 0;

  process([[samples]]) {
    if (samples) this.take(samples);
    return true;
  }

  take(samples) {
    this.piece.set(samples, this.filled);
    this.filled += samples.length;
    if (this.filled < PIECE) return;
    this.port.postMessage(this.piece, [this.piece.buffer]);
    this.piece = new Float32Array(PIECE);
    this.filled = 0;
  }
}

registerProcessor("capture", Capture);
