import Type from 'typebox'

export const HealthSchema = Type.Object({ version: Type.String(), status: Type.String() })
