/** Draws nodes as circles and regular polygons: sigma brings circles alone. */
import { NodeProgram, type ProgramInfo } from "sigma/rendering";
import type { NodeDisplayData, RenderParams } from "sigma/types";
import { floatColor } from "sigma/utils";
import type { Shape } from "./kinds.ts";

/** The number of corners, and how far the shape is turned (radians); a circle has none. */
const GEOMETRY: Readonly<Record<Shape, readonly [number, number]>> = {
  circle: [0, 0],
  square: [4, Math.PI / 4],
  diamond: [4, 0],
  triangle: [3, Math.PI / 2],
  hexagon: [6, 0],
};

const VERTEX = /* glsl */ `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec2 a_position;
attribute vec2 a_shape;
attribute float a_size;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec2 v_diff;
varying vec2 v_shape;
varying float v_radius;
const float bias = 255.0 / 254.0;
void main() {
  float size = a_size * u_correctionRatio / u_sizeRatio * 4.0;
  vec2 diff = size * vec2(cos(a_angle), sin(a_angle));
  gl_Position = vec4((u_matrix * vec3(a_position + diff, 1)).xy, 0, 1);
  v_diff = diff;
  v_shape = a_shape;
  v_radius = size / 2.0;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_color.a *= bias;
}`;

const FRAGMENT = /* glsl */ `
precision highp float;
varying vec4 v_color;
varying vec2 v_diff;
varying vec2 v_shape;
varying float v_radius;
uniform float u_correctionRatio;
const float PI = 3.14159265359;
void main(void) {
  float border = u_correctionRatio * 2.0;
  float reach = length(v_diff);
  if (v_shape.x > 0.5) {
    float step = 2.0 * PI / v_shape.x;
    float angle = mod(atan(v_diff.y, v_diff.x) - v_shape.y, step) - step / 2.0;
    reach = reach * cos(angle) / cos(step / 2.0);
  }
  float distance = reach - v_radius + border;
  #ifdef PICKING_MODE
  gl_FragColor = distance > border ? vec4(0.0) : v_color;
  #else
  float t = clamp(distance / border, 0.0, 1.0);
  gl_FragColor = mix(v_color, vec4(0.0), t);
  #endif
}`;

const FLOAT = 0x1406;
const UNSIGNED_BYTE = 0x1401;
const TRIANGLES = 4;
const UNIFORMS = ["u_sizeRatio", "u_correctionRatio", "u_matrix"] as const;

/** What a node of this program has besides sigma's own. */
export interface ShapedNode extends NodeDisplayData {
  shape: Shape;
}

export class ShapeProgram extends NodeProgram<(typeof UNIFORMS)[number]> {
  getDefinition() {
    return {
      VERTICES: 3,
      VERTEX_SHADER_SOURCE: VERTEX,
      FRAGMENT_SHADER_SOURCE: FRAGMENT,
      METHOD: TRIANGLES as 4,
      UNIFORMS,
      ATTRIBUTES: [
        { name: "a_position", size: 2, type: FLOAT },
        { name: "a_size", size: 1, type: FLOAT },
        { name: "a_shape", size: 2, type: FLOAT },
        { name: "a_color", size: 4, type: UNSIGNED_BYTE, normalized: true },
        { name: "a_id", size: 4, type: UNSIGNED_BYTE, normalized: true },
      ],
      // One triangle around each node, as in sigma's own circles.
      CONSTANT_ATTRIBUTES: [{ name: "a_angle", size: 1, type: FLOAT }],
      CONSTANT_DATA: [[0], [(2 * Math.PI) / 3], [(4 * Math.PI) / 3]],
    };
  }

  override processVisibleItem(nodeIndex: number, startIndex: number, data: NodeDisplayData): void {
    const { array } = this;
    const [corners, turn] = GEOMETRY[(data as ShapedNode).shape];
    const values = [data.x, data.y, data.size, corners, turn, floatColor(data.color), nodeIndex];
    for (const [offset, value] of values.entries()) array[startIndex + offset] = value;
  }

  override setUniforms(
    { sizeRatio, correctionRatio, matrix }: RenderParams,
    { gl, uniformLocations }: ProgramInfo,
  ): void {
    gl.uniform1f(uniformLocations["u_correctionRatio"] ?? null, correctionRatio);
    gl.uniform1f(uniformLocations["u_sizeRatio"] ?? null, sizeRatio);
    gl.uniformMatrix3fv(uniformLocations["u_matrix"] ?? null, false, matrix);
  }
}
