// Tests run as tsc wrote them. onnxruntime and tfjs keep process-wide state: no worker threads.
export default {
  files: ['dist/test/**/*.test.js'],
  workerThreads: false,
  timeout: '3m',
};
