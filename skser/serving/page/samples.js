// In the thread of the audio: samples of the first input, the mean of its channels, as 16-bit
// integers in blocks of a tenth of a second.

class Samples extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(Math.round(sampleRate / 10));
    this.filled = 0;
    this.isEnded = false;
    this.port.onmessage = () => {
      this.send();
      this.isEnded = true;
      this.port.postMessage("end");
    };
  }

  send() {
    if (!this.filled) return;
    const { buffer } = this.block.slice(0, this.filled);
    this.port.postMessage(buffer, [buffer]);
    this.filled = 0;
  }

  process([channels]) {
    const length = channels.length ? channels[0].length : 0;
    for (let i = 0; i < length; i += 1) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      const sample = Math.max(-1, Math.min(1, sum / channels.length));
      this.block[this.filled] = Math.round(sample * 32767);
      this.filled += 1;
      if (this.filled === this.block.length) this.send();
    }
    return !this.isEnded;
  }
}

registerProcessor("samples", Samples);
