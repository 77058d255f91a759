export { exportOnnx } from './export';
